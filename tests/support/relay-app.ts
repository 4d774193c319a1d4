import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, startApp } from '../../server/app/app.ts'
import type { AppOptions } from '../../server/app/context.ts'
import { type Config, readConfig } from '../../server/config/config.ts'
import { createLog } from '../../server/log.ts'
import { readProvisionFile } from '../../server/provisioning/provision-file.ts'
import { requestIdOf } from '../../server/request-ids.ts'
import { cheapCost } from './cheap-passwords.ts'
import { engines, newDatabaseAddress, redisUrl } from './engines.ts'

export interface RelayApp {
  app: App
  /** http://127.0.0.1:PORT/claude-code */
  base: string
  /** The lines of the log. */
  log: string[]
  dataDir: string
  config: Config
  /** Rows of `logs` in order, once everything is written; integers are numbers. */
  rows(): Promise<LogRow[]>
  attempts(): Promise<Record<string, string | number | null>[]>
  stop(): Promise<void>
}

export type LogRow = Record<string, string | number | null> & { requestId: string }

export const testKey = 'sk-test-0123456789abcdef'

export interface RelayAppOptions extends AppOptions {
  /** Accounts, all in group `g`; only `url` is required. */
  accounts?: { name?: string; url: string; [field: string]: unknown }[]
  /** Keys instead of the one with `testKey`, or beside it. */
  keys?: { name: string; [field: string]: unknown }[]
  /** Error rules, which are tried before the built-in ones. */
  rules?: { name: string; [field: string]: unknown }[]
  /** Groups instead of `g`. */
  groups?: { name: string; [field: string]: unknown }[]
  env?: Record<string, string>
  /** Continue with the data of an earlier app. */
  dataDir?: string
  /** Keep the data when the app stops. */
  keepData?: boolean
}

/** Short deadlines: tenths of a second instead of minutes. */
const quickTimers = {
  firstByteStreamMs: 400,
  firstByteJsonMs: 600,
  idleMs: 500,
  commitMs: 150,
  pingMs: 120,
  blockedMs: 600,
  closeMs: 150,
  drainMs: 60_000,
  tickMs: 10,
}

/** The whole program on port 0 with accounts at the given upstreams, on the engines of this run. */
export async function startRelayApp(options: RelayAppOptions = {}): Promise<RelayApp> {
  const {
    accounts = [],
    keys,
    groups = [{ name: 'g' }],
    rules = [],
    env,
    dataDir: givenDir,
    keepData,
    ...appOptions
  } = options
  const dataDir = givenDir ?? (await mkdtemp(join(tmpdir(), 'relay-test-')))
  const external = engines === 'services' && env?.['DATABASE_URL'] === undefined ? await newDatabaseAddress() : null
  const { config } = readConfig(
    {
      PORT: '0',
      DATA_DIR: dataDir,
      UPSTREAM_ALLOW: '127.0.0.0/8',
      TIME_ZONE: 'UTC',
      ...(external && { DATABASE_URL: external.url, REDIS_URL: redisUrl }),
      ...env,
    },
    { values: {}, problems: [] },
  )
  const log: string[] = []
  const file = {
    groups,
    accounts: accounts.map((account, index) => ({
      name: `account ${index + 1}`,
      secret: `sk-upstream-${index + 1}-0123456789`,
      groups: ['g'],
      ...account,
    })),
    keys: keys ?? [{ name: 'test', secret: testKey, group: 'g' }],
    rules,
  }
  const app = await startApp(
    config,
    createLog({ level: 'info', to: { write: (line: string) => void log.push(line) } }),
    {
      settleIntervalMs: 10,
      drainMs: 2000,
      jobs: null,
      passwordCost: cheapCost,
      provision: readProvisionFile(JSON.stringify(file)),
      ...appOptions,
      timers: { ...quickTimers, ...appOptions.timers },
    },
  )
  const select = async (table: string, order: string, where = '', args: (string | number)[] = []) => {
    const columns = await columnsOf(app, table)
    const names = columns.map((name) => `\`${name}\``).join(', ')
    const rows = await app.database.select(`SELECT ${names} FROM \`${table}\` ${where} ORDER BY ${order}`, args)
    return rows.map((row) =>
      Object.fromEntries(row.map((cell, index) => [columns[index]!, typeof cell === 'bigint' ? String(cell) : cell])),
    )
  }
  return {
    app,
    base: `${app.url}/claude-code`,
    log,
    dataDir,
    config,
    async rows() {
      await app.settled()
      const rows = await select('logs', '`id`')
      return rows.map((row) => ({ ...row, requestId: requestIdOf(BigInt(row['id'] as string)) })) as LogRow[]
    },
    async attempts() {
      await app.settled()
      return (await select('attempts', '`log_id`, `number`')) as Record<string, string | number | null>[]
    },
    async stop() {
      await app.stop()
      await external?.drop()
      if (!keepData) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function columnsOf(app: App, table: string): Promise<string[]> {
  const sql =
    app.database.engine === 'sqlite'
      ? `SELECT name FROM pragma_table_info('${table}')`
      : `SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '${table}'`
  return (await app.database.select(sql)).map(([name]) => String(name))
}
