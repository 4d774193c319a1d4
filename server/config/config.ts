import type { EnvFile } from './env-file.ts'
import { type SettingName, type SettingValues, settings } from './settings.ts'
import { warnOfUnused } from './unused-settings.ts'

/** What the environment decides. Frozen. null = not set and without a default. */
export interface Config {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly publicUrl: string | null
  /** CIDRs of proxies whose x-forwarded-for is believed; none: nobody's. */
  readonly trustedProxies: readonly string[]
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
  readonly keepAliveMs: number
  readonly queueWaitMs: number
  /** Requests that may wait in one group. */
  readonly queueLength: number
  /** The largest event of a streamed answer. */
  readonly streamEventBytes: number
  readonly clientDisconnect: SettingValues['CLIENT_DISCONNECT']
  readonly logLevel: SettingValues['LOG_LEVEL']
  readonly logFile: string | null
  readonly defaultAdmin: { readonly username: string; readonly password: string; readonly email: string | null } | null
}

/** The start stops: everything that is wrong, one line each, without values of secrets. */
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
  const set = new Set((Object.keys(settings) as SettingName[]).filter((name) => isGiven(name, given[name])))
  const { values, problems } = readValues(given, set)
  const database = addressOf(mysqlParts, values, set)
  const redis = addressOf(redisParts, values, set)
  const allProblems = [...file.problems, ...problems, ...database.problems, ...redis.problems]
  if (allProblems.length) throw new ConfigError(allProblems)

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
    trustedProxies: Object.freeze([...(values.TRUSTED_PROXIES ?? [])]),
    dataDir: values.DATA_DIR,
    databaseUrl: database.url ?? `file:${values.DATA_DIR}/relay.db`,
    redisUrl: redis.url,
    masterSecret: values.MASTER_SECRET,
    timeZone: values.TIME_ZONE ?? (systemZone || 'UTC'),
    timeZoneFrom: values.TIME_ZONE ? 'TIME_ZONE' : systemZone ? 'system' : 'fallback',
    provisionFile: values.PROVISION_FILE,
    upstreamAllow: Object.freeze([...(values.UPSTREAM_ALLOW ?? [])]),
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
    keepAliveMs: values.KEEP_ALIVE_S * 1000,
    queueWaitMs: values.QUEUE_WAIT_S * 1000,
    queueLength: values.QUEUE_LENGTH,
    streamEventBytes: values.STREAM_EVENT_MB * 1024 * 1024,
    clientDisconnect: values.CLIENT_DISCONNECT,
    logLevel: values.LOG_LEVEL,
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

function isGiven(name: SettingName, text: string | undefined): boolean {
  // Kubernetes sets MYSQL_PORT and REDIS_PORT to tcp://… for neighbours of these names.
  const byKubernetes = (name === 'MYSQL_PORT' || name === 'REDIS_PORT') && text?.startsWith('tcp://')
  return text !== undefined && text.trim() !== '' && !byKubernetes
}

function readValues(given: Environment, set: ReadonlySet<SettingName>): { values: SettingValues; problems: string[] } {
  const problems: string[] = []
  const values: Partial<Record<SettingName, unknown>> = {}
  for (const name of Object.keys(settings) as SettingName[]) {
    const setting = settings[name]
    const text = set.has(name) ? given[name]! : setting.default
    const parsed = text === '' ? { value: null } : setting.read('secret' in setting ? text : text.trim())
    if ('problem' in parsed) problems.push(`${name} ${parsed.problem}`)
    else values[name] = parsed.value
  }
  // Complete whenever `problems` is empty: every setting has either a value or a problem.
  return { values: values as SettingValues, problems }
}

/** The parts a URL may be put together from instead, under the names the original used. */
interface Parts {
  whole: 'DATABASE_URL' | 'REDIS_URL'
  host: SettingName
  rest: readonly SettingName[]
  /** As the URL says it; undefined where it says nothing. */
  partsOf(url: URL): Partial<Record<SettingName, string | undefined>>
  compose(values: SettingValues): string
}

const mysqlParts: Parts = {
  whole: 'DATABASE_URL',
  host: 'MYSQL_HOST',
  rest: ['MYSQL_PORT', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_DATABASE'],
  partsOf: (url) => ({
    MYSQL_HOST: url.hostname.replace(/^\[|\]$/g, ''),
    MYSQL_PORT: url.port || '3306',
    MYSQL_USER: decodeURIComponent(url.username),
    MYSQL_PASSWORD: decodeURIComponent(url.password),
    MYSQL_DATABASE: decodeURIComponent(url.pathname.slice(1)),
  }),
  compose: (values) => {
    const credentials = [values.MYSQL_USER, values.MYSQL_PASSWORD ?? ''].map(encodeURIComponent).join(':')
    const place = `${hostInUrl(values.MYSQL_HOST ?? '')}:${values.MYSQL_PORT}`
    return `mysql://${credentials}@${place}/${encodeURIComponent(values.MYSQL_DATABASE)}`
  },
}

const redisParts: Parts = {
  whole: 'REDIS_URL',
  host: 'REDIS_HOST',
  rest: ['REDIS_PORT', 'REDIS_PASSWORD', 'REDIS_DB'],
  partsOf: (url) => ({
    REDIS_HOST: url.hostname.replace(/^\[|\]$/g, ''),
    REDIS_PORT: url.port || '6379',
    REDIS_PASSWORD: decodeURIComponent(url.password),
    REDIS_DB: url.pathname.slice(1) || '0',
  }),
  compose: (values) => {
    const credentials = values.REDIS_PASSWORD ? `:${encodeURIComponent(values.REDIS_PASSWORD)}@` : ''
    return `redis://${credentials}${hostInUrl(values.REDIS_HOST ?? '')}:${values.REDIS_PORT}/${values.REDIS_DB}`
  },
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** The whole URL, or one made of its parts; parts that say something else than the URL are a problem. */
function addressOf(parts: Parts, values: SettingValues, set: ReadonlySet<SettingName>) {
  const { whole, host, rest } = parts
  const given = [host, ...rest].filter((name) => set.has(name))
  const url = values[whole]
  if (url && given.length) {
    const said = parts.partsOf(new URL(url))
    const other = given.filter((name) => String(values[name]) !== said[name])
    const problems = other.map((name) => `${whole} and ${name} contradict each other: keep one of them`)
    return { url, problems, warnings: [] }
  }
  if (url) return { url, problems: [], warnings: [] }
  if (set.has(host)) return { url: values[host] ? parts.compose(values) : null, problems: [], warnings: [] }
  return { url: null, problems: [], warnings: given.map((name) => `${name} has no effect without ${host}`) }
}

function warnOfValues(values: SettingValues, set: ReadonlySet<SettingName>, gathering: string | null): string[] {
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
  if (gathering && !values.TIME_ZONE)
    warnings.push('TIME_ZONE is not set: processes on machines of different zones would begin their days apart')
  return warnings
}
