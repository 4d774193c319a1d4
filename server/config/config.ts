import { readIssue } from '../field-values.ts'
import type { EnvFile } from './env-file.ts'
import { warnOfUnused } from './unused-variables.ts'
import { mysqlParts, redisParts, urlFromParts, type VariableTexts } from './url-parts.ts'
import { environmentSchema, type VariableName, type VariableValues, variableNames, variables } from './variables.ts'

/** What the environment decides. Frozen. null: not set, and without a default. */
export interface Config {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly publicUrl: string | null
  /** CIDRs of the proxies whose x-forwarded-for counts. */
  readonly trustedProxies: readonly string[]
  /** Origins of pages that may call the relay; `*`: all. */
  readonly corsOrigins: readonly string[]
  readonly dataDir: string
  /** `file:…` or `mysql://…`; may hold a password. */
  readonly databaseUrl: string
  /** `redis://…` or `rediss://…`; may hold a password. */
  readonly redisUrl: string | null
  /** null: made on the first start and kept in the data folder. */
  readonly masterSecret: string | null
  /** IANA name. */
  readonly timeZone: string
  readonly timeZoneFrom: 'TIME_ZONE' | 'system' | 'fallback'
  readonly provisionFile: string | null
  /** CIDRs. */
  readonly upstreamAllow: readonly string[]
  /** May hold a password. */
  readonly upstreamProxy: string | null
  readonly caFile: string | null
  readonly claudeOauth: {
    readonly authorizeUrl: string
    readonly tokenUrl: string
    readonly redirectUrl: string
    readonly clientId: string
    readonly scopes: string
  }
  readonly bodyMemoryBytes: number
  readonly responseMemoryBytes: number
  readonly keepAliveMs: number
  readonly queueWaitMs: number
  /** Requests that may wait in one group. */
  readonly queueLength: number
  /** The largest event of a streamed answer. */
  readonly streamEventBytes: number
  readonly clientDisconnect: VariableValues['CLIENT_DISCONNECT']
  readonly logLevel: VariableValues['LOG_LEVEL']
  readonly logFormat: VariableValues['LOG_FORMAT']
  readonly logFile: string | null
  readonly defaultAdmin: { readonly username: string; readonly password: string; readonly email: string | null } | null
}

/** Stops the start. Lists everything that is wrong, one line each, without values of secrets. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`The settings are wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Environment and `.env` file → Config, or ConfigError with every problem at once. The environment wins over the file, an
 * empty variable counts as absent. Warnings name what has no effect. `systemZone` is what the machine says its zone is, '' when it does not know.
 */
export function readConfig(
  environment: Environment,
  file: EnvFile = { values: {}, problems: [] },
  systemZone: string = Intl.DateTimeFormat().resolvedOptions().timeZone,
): { config: Config; warnings: string[] } {
  const given: Environment = { ...file.values, ...definedIn(environment) }
  const set = new Set(variableNames.filter((name) => isGiven(name, given[name])))
  const texts = Object.fromEntries(
    variableNames.map((name) => [name, set.has(name) ? given[name] : variables[name].default]),
  ) as VariableTexts
  const { data: values, error } = environmentSchema.safeParse(texts)
  const database = urlFromParts(mysqlParts, texts, set)
  const redis = urlFromParts(redisParts, texts, set)
  const wrong = error?.issues.map((issue) => `${String(issue.path[0])} ${readIssue(issue).clause}`) ?? []
  const problems = [...file.problems, ...wrong, ...database.problems, ...redis.problems]
  if (!values || problems.length > 0) throw new ConfigError(problems)

  const warnings = [
    ...warnOfUnused(Object.keys(given), new Set(Object.keys(file.values))),
    ...database.warnings,
    ...redis.warnings,
    ...warnOfValues(values, set, redis.url ?? (database.url?.startsWith('mysql:') ? database.url : null)),
  ]
  const config: Config = {
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL,
    trustedProxies: values.TRUSTED_PROXIES ?? Object.freeze([]),
    corsOrigins: values.CORS_ORIGINS ?? Object.freeze([]),
    dataDir: values.DATA_DIR,
    databaseUrl: database.url ?? `file:${values.DATA_DIR}/relay.db`,
    redisUrl: redis.url,
    masterSecret: values.MASTER_SECRET,
    timeZone: values.TIME_ZONE ?? (systemZone || 'UTC'),
    timeZoneFrom: values.TIME_ZONE ? 'TIME_ZONE' : systemZone ? 'system' : 'fallback',
    provisionFile: values.PROVISION_FILE,
    upstreamAllow: values.UPSTREAM_ALLOW ?? Object.freeze([]),
    upstreamProxy: values.UPSTREAM_PROXY,
    caFile: values.CA_FILE,
    claudeOauth: Object.freeze({
      authorizeUrl: values.CLAUDE_AUTHORIZE_URL,
      tokenUrl: values.CLAUDE_TOKEN_URL,
      redirectUrl: values.CLAUDE_REDIRECT_URL,
      clientId: values.CLAUDE_CLIENT_ID,
      scopes: values.CLAUDE_SCOPES,
    }),
    bodyMemoryBytes: values.BODY_MEMORY_MB * 1024 * 1024,
    responseMemoryBytes: values.RESPONSE_MEMORY_MB * 1024 * 1024,
    keepAliveMs: values.KEEP_ALIVE_S * 1000,
    queueWaitMs: values.QUEUE_WAIT_S * 1000,
    queueLength: values.QUEUE_LENGTH,
    streamEventBytes: values.STREAM_EVENT_MB * 1024 * 1024,
    clientDisconnect: values.CLIENT_DISCONNECT,
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
    logFile: values.LOG_FILE,
    defaultAdmin: values.DEFAULT_ADMIN_PASSWORD
      ? Object.freeze({
          username: values.DEFAULT_ADMIN_USERNAME,
          password: values.DEFAULT_ADMIN_PASSWORD,
          email: values.DEFAULT_ADMIN_EMAIL,
        })
      : null,
  }
  return { config: Object.freeze(config), warnings }
}

function definedIn(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function isGiven(name: VariableName, text: string | undefined): boolean {
  // Kubernetes sets MYSQL_PORT and REDIS_PORT to tcp://… for neighbours of these names.
  const byKubernetes = (name === 'MYSQL_PORT' || name === 'REDIS_PORT') && text?.startsWith('tcp://')
  return text !== undefined && text.trim() !== '' && !byKubernetes
}

function warnOfValues(values: VariableValues, set: ReadonlySet<VariableName>, sharedUrl: string | null): string[] {
  const warnings: string[] = []
  if (!values.DEFAULT_ADMIN_PASSWORD)
    for (const name of ['DEFAULT_ADMIN_USERNAME', 'DEFAULT_ADMIN_EMAIL'] as const)
      if (set.has(name)) warnings.push(`${name} has no effect without DEFAULT_ADMIN_PASSWORD`)
  if (values.DEFAULT_ADMIN_PASSWORD === 'admin123')
    warnings.push('DEFAULT_ADMIN_PASSWORD is the well-known password of the original system: choose another')
  if (values.PUBLIC_URL && new URL(values.PUBLIC_URL).pathname !== '/')
    warnings.push('PUBLIC_URL has a path: Claude Code works below it, the dashboard and its setup link do not')
  if (values.UPSTREAM_ALLOW?.some((network) => network.endsWith('/0')))
    warnings.push('UPSTREAM_ALLOW lets upstreams be any address at all, this machine and its cloud included')
  if (values.TRUSTED_PROXIES?.some((network) => network.endsWith('/0')))
    warnings.push('TRUSTED_PROXIES lets every client say where it comes from')
  if (sharedUrl && !values.TIME_ZONE)
    warnings.push('TIME_ZONE is not set: processes on machines of different zones would begin their days apart')
  return warnings
}
