import { z } from 'zod'
import { networkList, userName } from '../field-values.ts'
import {
  databaseAddress,
  folder,
  hostName,
  mailAddress,
  oneOf,
  originList,
  proxyAddress,
  readableFile,
  redisAddress,
  secretOfLength,
  secretText,
  text,
  timeZone,
  webAddress,
  wholeNumber,
} from './variable-values.ts'

/** One environment variable. The tables in the documents and .env.example are checked against these. */
interface Variable {
  description: string
  /** Text used when the variable is absent or empty; null when there is none. */
  default: string | null
  /** What the documents show instead of `default`, where that depends on something else. */
  shown?: string
  /** The value may be or hold a secret. */
  secret?: true
  schema: z.ZodType<unknown, string>
}

/** Every variable there is, in the order the documents list them. */
export const variables = {
  HOST: {
    description: 'Address to listen on. `0.0.0.0` or `::` for every interface.',
    default: '127.0.0.1',
    schema: hostName,
  },
  PORT: {
    description: 'Port to listen on. 0 takes any free one and prints it.',
    default: '10081',
    schema: wholeNumber(0, 65_535),
  },
  PUBLIC_URL: {
    description:
      'Address under which people reach the relay, when it stands behind a proxy. The dashboard needs the root of a host name.',
    default: null,
    schema: webAddress,
  },
  TRUSTED_PROXIES: {
    description:
      'Networks (CIDR, comma-separated) of the proxies before the relay, whose `x-forwarded-for` says where a request comes from.',
    default: null,
    schema: networkList,
  },
  CORS_ORIGINS: {
    description:
      'Origins (comma-separated, such as `https://app.example.com`; `*`: all) of web pages that may call the relay with a key of theirs.',
    default: null,
    schema: originList,
  },
  DATA_DIR: { description: 'Folder of the database, the journal and the secrets.', default: './data', schema: folder },
  DATABASE_URL: {
    description: '`file:<path>` (SQLite) or `mysql://user:password@host:3306/database`.',
    default: null,
    shown: 'file:<DATA_DIR>/relay.db',
    secret: true,
    schema: databaseAddress,
  },
  REDIS_URL: {
    description: '`redis://:password@host:6379/0`. Needed as soon as more than one process runs.',
    default: null,
    secret: true,
    schema: redisAddress,
  },
  MASTER_SECRET: {
    description: 'At least 32 characters, the same for every process. Without it one is made on the first start.',
    default: null,
    shown: 'kept in <DATA_DIR>/secrets.json',
    secret: true,
    schema: secretOfLength(32),
  },
  TIME_ZONE: {
    description: 'Zone in which days begin, for daily limits and daily sums. An IANA name such as `Asia/Shanghai`.',
    default: null,
    shown: "the system's zone, else UTC",
    schema: timeZone,
  },
  PROVISION_FILE: {
    description: 'JSON file of groups, accounts, keys and rules, applied at every start.',
    default: null,
    schema: readableFile,
  },
  UPSTREAM_ALLOW: {
    description:
      'Networks (CIDR, comma-separated) that upstreams may lie in although private; plain http is allowed there. They serve accounts that an administrator made or approved.',
    default: null,
    schema: networkList,
  },
  UPSTREAM_PROXY: {
    description:
      'Proxy for accounts that name none: `http://`, `https://`, `socks5://` or `socks5h://`, with `user:password@` if needed.',
    default: null,
    secret: true,
    schema: proxyAddress,
  },
  CA_FILE: {
    description: 'PEM file of further certificate authorities to trust for upstreams.',
    default: null,
    schema: readableFile,
  },
  CLAUDE_AUTHORIZE_URL: {
    description: 'Page at which the login of a Claude subscription begins.',
    default: 'https://claude.ai/oauth/authorize',
    schema: webAddress,
  },
  CLAUDE_TOKEN_URL: {
    description: 'Where codes and refresh tokens of Claude subscriptions are exchanged.',
    default: 'https://platform.claude.com/v1/oauth/token',
    schema: webAddress,
  },
  CLAUDE_REDIRECT_URL: {
    description: 'Page that shows the code at the end of a login.',
    default: 'https://platform.claude.com/oauth/code/callback',
    schema: webAddress,
  },
  CLAUDE_CLIENT_ID: {
    description: 'OAuth client of such logins.',
    default: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
    schema: text,
  },
  CLAUDE_SCOPES: {
    description: 'What such logins ask for, separated by spaces.',
    default: 'user:profile user:inference',
    schema: text,
  },
  KEEP_ALIVE_S: {
    description:
      'Seconds that an idle connection of a client stays open. Longer than the proxy in front keeps its own, else requests meet connections that close.',
    default: '125',
    schema: wholeNumber(1, 3600),
  },
  BODY_MEMORY_MB: {
    description:
      'Memory (MiB) that all request bodies together may take, one key two thirds of it at most; requests beyond it are answered 529.',
    default: '512',
    // One body may have 32 MB.
    schema: wholeNumber(32, 1_048_576),
  },
  RESPONSE_MEMORY_MB: {
    description:
      'Memory (MiB) that responses which are no stream may take together, one key two thirds of it at most; requests beyond it are answered 529.',
    default: '512',
    // One response may have 64 MB.
    schema: wholeNumber(64, 1_048_576),
  },
  QUEUE_WAIT_S: {
    description:
      'Seconds that a request waits in the queue: for a slot of an account, or until running requests of its key leave room in a limit.',
    default: '30',
    schema: wholeNumber(0, 600),
  },
  QUEUE_LENGTH: {
    description: 'Requests that may wait in one group; further ones are answered 529.',
    default: '100',
    schema: wholeNumber(0, 100_000),
  },
  STREAM_EVENT_MB: {
    description: 'Largest event (MiB) of a streamed response; at a larger one the response is broken off.',
    default: '16',
    schema: wholeNumber(1, 1024),
  },
  CLIENT_DISCONNECT: {
    description:
      "What happens to the upstream's response when its client leaves: `abort` breaks it off and estimates the usage that is not known; `drain` reads it to its usage, for ten minutes at most, and bills exactly that.",
    default: 'abort',
    schema: oneOf('abort', 'drain'),
  },
  LOG_LEVEL: {
    description: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
    default: 'info',
    schema: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  },
  LOG_FORMAT: {
    description: 'Form of the log: `json`, `text` (one plain line an event), or `auto`: text on a terminal, else json.',
    default: 'auto',
    schema: oneOf('auto', 'json', 'text'),
  },
  LOG_FILE: { description: 'File to append the log to.', default: null, shown: 'standard output', schema: text },
  DEFAULT_ADMIN_USERNAME: {
    description: 'Name of the first administrator, made at a start that finds nobody when the next is set.',
    default: 'admin',
    schema: userName,
  },
  DEFAULT_ADMIN_PASSWORD: {
    description:
      'Password of the first administrator, 8 to 200 characters. Later it changes nothing: the password belongs to its owner.',
    default: null,
    secret: true,
    // No sign-in takes more.
    schema: secretOfLength(8, 200),
  },
  DEFAULT_ADMIN_EMAIL: {
    description: 'E-mail address of the first administrator.',
    default: null,
    schema: mailAddress,
  },
  MYSQL_HOST: { description: 'With the next four another way to say DATABASE_URL.', default: null, schema: hostName },
  MYSQL_PORT: { description: 'Port of MySQL.', default: '3306', schema: wholeNumber(1, 65_535) },
  MYSQL_USER: { description: 'User of MySQL.', default: 'root', schema: text },
  MYSQL_PASSWORD: { description: 'Password of MySQL.', default: null, secret: true, schema: secretText },
  MYSQL_DATABASE: { description: 'Database of MySQL.', default: 'claude_code_relay', schema: text },
  REDIS_HOST: { description: 'With the next three another way to say REDIS_URL.', default: null, schema: hostName },
  REDIS_PORT: { description: 'Port of Redis.', default: '6379', schema: wholeNumber(1, 65_535) },
  REDIS_PASSWORD: { description: 'Password of Redis.', default: null, secret: true, schema: secretText },
  REDIS_DB: { description: 'Number of the database of Redis.', default: '0', schema: wholeNumber(0, 65_535) },
} as const satisfies Record<string, Variable>

type Variables = typeof variables
export type VariableName = keyof Variables
export const variableNames = Object.keys(variables) as VariableName[]

type Shape = {
  [N in VariableName]: Variables[N]['default'] extends null
    ? z.ZodNullable<Variables[N]['schema']>
    : Variables[N]['schema']
}

/** Texts by name, null for what is absent and has no default → values by name. */
export const environmentSchema = z.object(
  Object.fromEntries(
    Object.entries<Variable>(variables).map(([name, { schema, default: text }]) => [
      name,
      text === null ? schema.nullable() : schema,
    ]),
  ) as unknown as Shape,
)

export type VariableValues = z.output<typeof environmentSchema>

/** Rows for the documents: name, what holds when it is absent, what it means. */
export function variableRows(): { name: string; default: string; description: string }[] {
  return Object.entries<Variable>(variables).map(([name, { description, default: text, shown }]) => ({
    name,
    default: shown ?? text ?? '',
    description,
  }))
}
