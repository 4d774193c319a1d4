import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../server/config/config.ts'
import { type EnvFile, parseEnvFile } from '../../server/config/env-file.ts'

const noFile: EnvFile = { values: {}, problems: [] }
const secret = 'correct-horse-battery-staple-0123456789'

function problemsOf(environment: Record<string, string>, file = noFile): readonly string[] {
  try {
    readConfig(environment, file, 'UTC')
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

function warningsOf(environment: Record<string, string>, file = noFile): string[] {
  return readConfig(environment, file, 'UTC').warnings
}

test('an empty environment gives one process on SQLite, on this machine only, without a warning', () => {
  const { config, warnings } = readConfig({}, noFile, 'Europe/Berlin')
  expect(config).toEqual({
    host: '127.0.0.1',
    port: 10081,
    publicUrl: null,
    dataDir: './data',
    databaseUrl: 'file:./data/relay.db',
    redisUrl: null,
    masterSecret: null,
    timeZone: 'Europe/Berlin',
    timeZoneFrom: 'system',
    provisionFile: null,
    trustedProxies: [],
    corsOrigins: [],
    upstreamAllow: [],
    upstreamProxy: null,
    caFile: null,
    claudeOauth: {
      authorizeUrl: 'https://claude.ai/oauth/authorize',
      tokenUrl: 'https://platform.claude.com/v1/oauth/token',
      redirectUrl: 'https://platform.claude.com/oauth/code/callback',
      clientId: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
      scopes: 'user:profile user:inference',
    },
    bodyMemoryBytes: 512 * 1024 * 1024,
    responseMemoryBytes: 512 * 1024 * 1024,
    queueWaitMs: 30_000,
    queueLength: 100,
    streamEventBytes: 16 * 1024 * 1024,
    keepAliveMs: 125_000,
    clientDisconnect: 'abort',
    logLevel: 'info',
    logFormat: 'auto',
    logFile: null,
    defaultAdmin: null,
  })
  expect(warnings).toEqual([])
})

test('the config cannot be changed afterwards, nor can what it holds', () => {
  const { config } = readConfig({ UPSTREAM_ALLOW: '10.0.0.0/8', DEFAULT_ADMIN_PASSWORD: 'long enough' }, noFile, 'UTC')
  expect([config, config.upstreamAllow, config.defaultAdmin].every(Object.isFrozen)).toBe(true)
})

test('the environment of the machine the tests run on gives no warning', () => {
  const foreign = {
    PATH: '/bin',
    HOME: '/root',
    HOSTNAME: 'box',
    SHELL: 'sh',
    LANG: 'C',
    TZ: 'UTC',
    TERM: 'dumb',
    NODE_ENV: 'x',
  }
  expect(warningsOf(foreign)).toEqual([])
})

test('all wrong settings are told at once, by name and without their values', () => {
  const problems = problemsOf({
    HOST: 'http://localhost',
    PORT: '70000',
    PUBLIC_URL: 'https://user:hidden@relay.example',
    DATABASE_URL: 'postgres://root:hidden@db/relay',
    REDIS_URL: 'http://:hidden@cache',
    MASTER_SECRET: 'hidden',
    TIME_ZONE: 'Mars/Olympus',
    UPSTREAM_ALLOW: '10.0.0.0/8, 10.1/16, 300.0.0.1',
    CA_FILE: '/nowhere/ca.pem',
    PROVISION_FILE: '/nowhere/provision.json',
    LOG_LEVEL: 'loud',
    BODY_MEMORY_MB: '31',
    DEFAULT_ADMIN_PASSWORD: 'hidden',
    DEFAULT_ADMIN_EMAIL: 'nobody',
  })
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'HOST',
    'PORT',
    'PUBLIC_URL',
    'DATABASE_URL',
    'REDIS_URL',
    'MASTER_SECRET',
    'TIME_ZONE',
    'PROVISION_FILE',
    'UPSTREAM_ALLOW',
    'CA_FILE',
    'BODY_MEMORY_MB',
    'LOG_LEVEL',
    'DEFAULT_ADMIN_PASSWORD',
    'DEFAULT_ADMIN_EMAIL',
  ])
  expect(problems.join()).not.toContain('hidden')
  expect(problems.find((problem) => problem.startsWith('UPSTREAM_ALLOW'))).toMatch(/wrong: 10\.1\/16, 300\.0\.0\.1$/)
})

test('an administrator who could not sign in is refused', () => {
  const longest = 'x'.repeat(200)
  expect(problemsOf({ DEFAULT_ADMIN_PASSWORD: longest, DEFAULT_ADMIN_USERNAME: 'Ada@example.org' })).toEqual([])
  expect(problemsOf({ DEFAULT_ADMIN_PASSWORD: `${longest}x`, DEFAULT_ADMIN_USERNAME: 'a b' })).toEqual([
    'DEFAULT_ADMIN_USERNAME must have 1 to 64 letters, digits, or . _ @ -, and begin with a letter or digit',
    'DEFAULT_ADMIN_PASSWORD must have at most 200 characters',
  ])
})

test('a public address below a path is warned of', () => {
  expect(warningsOf({ PUBLIC_URL: 'https://relay.example.org/' })).toEqual([])
  expect(warningsOf({ PUBLIC_URL: 'https://relay.example.org/relay' })).toEqual([
    'PUBLIC_URL has a path: Claude Code works below it, the dashboard and its setup link do not',
  ])
})

test('the message of the error lists every problem', () => {
  expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' }, noFile, 'UTC')).toThrow(/PORT must .*\n.*LOG_LEVEL must /)
})

test.each(['-1', '1.5', '0x10', '1e3', ' ', '65536'])('PORT %j is a problem, unless it is empty', (text) => {
  expect(problemsOf({ PORT: text })).toHaveLength(text.trim() ? 1 : 0)
})

test('port 0 is any port', () => {
  expect(readConfig({ PORT: '0' }, noFile, 'UTC').config.port).toBe(0)
})

test('an empty variable counts as absent, and space around a value is dropped', () => {
  const { config } = readConfig({ PORT: '', HOST: ' 0.0.0.0 ', MASTER_SECRET: '' }, noFile, 'UTC')
  expect([config.port, config.host, config.masterSecret]).toEqual([10081, '0.0.0.0', null])
})

test('networks may be single addresses, of both families', () => {
  const { config } = readConfig({ UPSTREAM_ALLOW: '10.0.0.0/8, 127.0.0.1,::1, fd00::/8,' }, noFile, 'UTC')
  expect(config.upstreamAllow).toEqual(['10.0.0.0/8', '127.0.0.1/32', '::1/128', 'fd00::/8'])
})

test('files that exist are taken', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'provision.json')
  writeFileSync(path, '{}')
  expect(readConfig({ PROVISION_FILE: path }, noFile, 'UTC').config.provisionFile).toBe(path)
})

test('the time zone is the one set, else the system’s, else UTC, and the config says which', () => {
  const zoneOf = (environment: Record<string, string>, zone: string) => {
    const { timeZone, timeZoneFrom } = readConfig(environment, noFile, zone).config
    return [timeZone, timeZoneFrom]
  }
  expect(zoneOf({ TIME_ZONE: 'Asia/Shanghai' }, 'Europe/Berlin')).toEqual(['Asia/Shanghai', 'TIME_ZONE'])
  expect(zoneOf({}, 'Europe/Berlin')).toEqual(['Europe/Berlin', 'system'])
  expect(zoneOf({}, '')).toEqual(['UTC', 'fallback'])
})

test('MySQL and Redis in parts make the same URLs, whatever characters the password has', () => {
  const password = 'p@ss:w/o#r?d%'
  const { config } = readConfig(
    {
      MYSQL_HOST: 'db',
      MYSQL_USER: 'me',
      MYSQL_PASSWORD: password,
      REDIS_HOST: '::1',
      REDIS_PASSWORD: password,
      REDIS_DB: '3',
    },
    noFile,
    'UTC',
  )
  const mysql = new URL(config.databaseUrl)
  expect([mysql.host, mysql.username, decodeURIComponent(mysql.password), mysql.pathname]).toEqual([
    'db:3306',
    'me',
    password,
    '/claude_code_relay',
  ])
  const redis = new URL(config.redisUrl ?? '')
  expect([redis.host, decodeURIComponent(redis.password), redis.pathname]).toEqual(['[::1]:6379', password, '/3'])
})

test('a URL and parts that say the same are fine; parts that contradict it are a problem each', () => {
  const url = 'mysql://me:se%40cret@db:3306/relay'
  expect(
    problemsOf({ DATABASE_URL: url, MYSQL_HOST: 'db', MYSQL_PASSWORD: 'se@cret', MYSQL_DATABASE: 'relay' }),
  ).toEqual([])
  const problems = problemsOf({
    DATABASE_URL: url,
    MYSQL_HOST: 'other',
    MYSQL_PASSWORD: 'se@cred',
    REDIS_URL: 'redis://a',
    REDIS_DB: '1',
  })
  expect(problems).toEqual([
    'DATABASE_URL and MYSQL_HOST contradict each other: keep one of them',
    'DATABASE_URL and MYSQL_PASSWORD contradict each other: keep one of them',
    'REDIS_URL and REDIS_DB contradict each other: keep one of them',
  ])
  expect(problemsOf({ DATABASE_URL: 'file:x.db', MYSQL_HOST: 'db' })).toHaveLength(1)
})

test('parts without a host, and an administrator without a password, are named as without effect', () => {
  expect(warningsOf({ MYSQL_USER: 'me', REDIS_DB: '1', DEFAULT_ADMIN_USERNAME: 'me' })).toEqual([
    'MYSQL_USER has no effect without MYSQL_HOST',
    'REDIS_DB has no effect without REDIS_HOST',
    'DEFAULT_ADMIN_USERNAME has no effect without DEFAULT_ADMIN_PASSWORD',
  ])
})

test('every variable of the original that does nothing is named with what to know instead', () => {
  const names =
    'HTTP_CLIENT_TIMEOUT JWT_SECRET SALT SESSION_SECRET LOG_RECORD_API LOG_RETENTION_MONTHS SMTP_HOST SYSTEM_NAME ENABLE_REGISTRATION SERVE_STATIC'
  const warnings = warningsOf(Object.fromEntries(names.split(' ').map((name) => [name, 'hidden'])))
  expect(warnings.map((warning) => warning.split(':')[0])).toEqual(names.split(' '))
  expect(warnings.join()).not.toContain('hidden')
})

test('names that are nearly ours are named with what was probably meant', () => {
  const warnings = warningsOf({ TIMEZONE: 'UTC', REDIS_URI: 'hidden', PROT: '1', PORTS: '1', MYSQL_SOCKET: 'x' })
  expect(warnings).toEqual([
    'TIMEZONE is not a setting: did you mean TIME_ZONE?',
    'REDIS_URI is not a setting: did you mean REDIS_URL?',
    'PORTS is not a setting: did you mean PORT?',
    'MYSQL_SOCKET is not a setting and has no effect',
  ])
})

test('what Kubernetes says about neighbours named mysql and redis is neither a setting nor a mistake', () => {
  const environment = { REDIS_PORT: 'tcp://10.0.0.1:6379', REDIS_PORT_6379_TCP: 'x', MYSQL_SERVICE_HOST: '10.0.0.2' }
  expect(readConfig(environment, noFile, 'UTC')).toMatchObject({ config: { redisUrl: null }, warnings: [] })
})

test('processes that share a database are told to agree on a time zone', () => {
  expect(warningsOf({ REDIS_URL: 'redis://cache' })).toEqual([expect.stringMatching(/^TIME_ZONE is not set/)])
  expect(warningsOf({ REDIS_URL: 'redis://cache', TIME_ZONE: 'UTC' })).toEqual([])
})

test('an allow-list of everything and the well-known password of the original are remarked on', () => {
  expect(warningsOf({ UPSTREAM_ALLOW: '0.0.0.0/0' })).toHaveLength(1)
  expect(warningsOf({ DEFAULT_ADMIN_PASSWORD: 'admin123' })).toHaveLength(1)
})

test('a .env file is read, the environment wins, and every unknown name in the file is named', () => {
  const file = parseEnvFile(
    `\uFEFFPORT=1\r\n# remark\n\nexport HOST="::1" # here\nMASTER_SECRET='${secret}#1'\nCOLOUR=red\n`,
  )
  const { config, warnings } = readConfig({ PORT: '2' }, file, 'UTC')
  expect([config.port, config.host, config.masterSecret]).toEqual([2, '::1', `${secret}#1`])
  expect(warnings).toEqual(['COLOUR is not a setting and has no effect'])
})

test('an empty variable of the environment also wins over the file', () => {
  expect(readConfig({ PORT: '' }, parseEnvFile('PORT=1'), 'UTC').config.port).toBe(10081)
})

test('lines of a .env file that would be misread are problems by number, without their content', () => {
  const file = parseEnvFile(
    'just hidden words\nPORT=1\nMASTER_SECRET=hid#den\nHOST="hidden\nDATA_DIR=x # fine\nA="b"c"\nREDIS_URL=#',
  )
  expect(file.values).toEqual({})
  expect(problemsOf({}, file)).toEqual([
    '.env line 1: is not NAME=value',
    '.env line 3: the value of MASTER_SECRET holds a #: put it in quotes, or a space before a comment',
    '.env line 4: the value of HOST is not one quoted text on one line',
    '.env line 6: the value of A is not one quoted text on one line',
    '.env line 7: the value of REDIS_URL holds a #: put it in quotes, or a space before a comment',
  ])
})
