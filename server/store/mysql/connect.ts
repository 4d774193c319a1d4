import { createHash } from 'node:crypto'
import { type Connection, type ConnectionConfig, createConnection, type SqlError } from 'mariadb'

export type { Connection }

/** The parts of a mysql:// URL: host, port, user, password, database, and parameters such as `connectionLimit` and `ssl`. */
export interface MysqlAddress {
  database: string
  connectionLimit: number
  config: ConnectionConfig
}

/** Reads a database URL. The error does not repeat it, because it may hold a password. */
export function readMysqlUrl(text: string): MysqlAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const database = url ? decodeURIComponent(url.pathname.slice(1)) : ''
  if (!url || database === '' || database.includes('/')) {
    throw new Error('a MySQL URL has the form mysql://user:password@host:port/database')
  }
  const known = (name: string): boolean => url.searchParams.get(name) === 'true'
  return {
    database,
    connectionLimit: Number(url.searchParams.get('connectionLimit') ?? 10),
    config: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 3306),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database,
      // No time zone, session variables or first SQL here: if the connection is lost while the driver sends them, an unhandled
      // rejection ends the process (mariadb 3.4.5, authSucceedHandler). The collation is sent without a command of its own.
      collation: 'UTF8MB4_BIN',
      connectTimeout: 10_000,
      keepAliveDelay: 30_000,
      // Count the rows that match, as SQLite does, not only those whose values changed.
      foundRows: true,
      // Values must not appear in error messages.
      logParam: false,
      // Prisma's adapter wants 0: prepared statements that are cached pile up on the server.
      prepareCacheLength: 0,
      allowPublicKeyRetrieval: known('allowPublicKeyRetrieval'),
      ...(known('ssl') ? { ssl: true } : {}),
    },
  }
}

/** A connection outside the pool. Makes the database if it is absent and the user has the right. */
export async function connectMysql({ database, config }: MysqlAddress): Promise<Connection> {
  try {
    return await createConnection(config)
  } catch (error) {
    if ((error as { errno?: number }).errno !== unknownDatabase) throw error
  }
  const connection = await createConnection({ ...config, database: undefined })
  try {
    const name = `\`${database.replaceAll('`', '``')}\``
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`)
    await connection.query(`USE ${name}`)
    return connection
  } catch (error) {
    await connection.end()
    throw new Error(`the database ${database} does not exist and this user may not create it`, { cause: error })
  }
}

const unknownDatabase = 1049

/** MySQL's named locks are valid for the whole server and have at most 64 characters: the name holds a hash of the database. */
export function lockName(purpose: string, database: string): string {
  return `claude-code-relay:${purpose}:${createHash('sha256').update(database).digest('hex').slice(0, 24)}`
}

/** Takes a named lock; false when it is still taken after `seconds`. The lock ends with the connection. */
export async function takeLock(connection: Connection, name: string, seconds: number): Promise<boolean> {
  const rows = await connection.query<{ taken: bigint | number | null }[]>('SELECT GET_LOCK(?, ?) AS taken', [
    name,
    seconds,
  ])
  return Number(rows[0]?.taken) === 1
}

/** A time as text for DATETIME(3), in UTC whatever the time zones of server and process are. */
export const utcText = (date: Date): string => date.toISOString().slice(0, 23).replace('T', ' ')

/**
 * The driver's errors contain their SQL, which is tens of kilobytes for a batch. This keeps the server's message, `errno`,
 * `sqlState` and `fatal` (the connection is lost).
 */
export function withoutSql(error: unknown): unknown {
  const { sqlMessage, errno, code, sqlState, fatal } = error as Partial<SqlError>
  if (errno === undefined) return error
  const message = sqlMessage ?? (error as Error).message.split('\nsql: ')[0]
  return Object.assign(new Error(message), { errno, code, sqlState, fatal })
}
