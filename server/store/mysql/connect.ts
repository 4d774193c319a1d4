import { createHash } from 'node:crypto'
import { type Connection, type ConnectionConfig, createConnection, type SqlError } from 'mariadb'

export type { Connection }

/** What a mysql:// URL says: host, port, user, password, database, and `connectionLimit`, `ssl` or the like as parameters. */
export interface MysqlAddress {
  database: string
  connectionLimit: number
  config: ConnectionConfig
}

/** Reads a database URL. Throws without repeating it: it may hold a password. */
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
      // No time zone, session variables or first SQL here: when the connection is lost while the driver sends those, it leaves an
      // unhandled rejection behind that ends the process (mariadb 3.4.5, authSucceedHandler). This collation costs no command.
      collation: 'UTF8MB4_BIN',
      connectTimeout: 10_000,
      keepAliveDelay: 30_000,
      // Affected rows are the rows matched, as on SQLite, not the rows whose values really changed.
      foundRows: true,
      // Values must not appear in error messages.
      logParam: false,
      // Prisma's adapter asks for it: a cache of prepared statements grows without bound on the server.
      prepareCacheLength: 0,
      allowPublicKeyRetrieval: known('allowPublicKeyRetrieval'),
      ...(known('ssl') ? { ssl: true } : {}),
    },
  }
}

/** One connection of its own, outside the pool; makes the database if it is absent and the user may. */
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

/** MySQL's named locks belong to the whole server and end at 64 characters: the database is part of the name, hashed. */
export function lockName(purpose: string, database: string): string {
  return `claude-code-relay:${purpose}:${createHash('sha256').update(database).digest('hex').slice(0, 24)}`
}

/** Takes a named lock of this connection; false when somebody else has it after `seconds`. It ends with the connection. */
export async function takeLock(connection: Connection, name: string, seconds: number): Promise<boolean> {
  const rows = await connection.query<{ taken: bigint | number | null }[]>('SELECT GET_LOCK(?, ?) AS taken', [
    name,
    seconds,
  ])
  return Number(rows[0]?.taken) === 1
}

/** A moment as a DATETIME(3) holds it, in UTC whatever the time zones of server and process. */
export const utcText = (date: Date): string => date.toISOString().slice(0, 23).replace('T', ' ')

/**
 * The driver's errors carry their whole SQL, which is tens of kilobytes for a batch: what stays is what the server said, with
 * `errno`, `sqlState` and `fatal` (the connection is lost).
 */
export function withoutSql(error: unknown): unknown {
  const { sqlMessage, errno, code, sqlState, fatal } = error as Partial<SqlError>
  if (errno === undefined) return error
  const message = sqlMessage ?? (error as Error).message.split('\nsql: ')[0]
  return Object.assign(new Error(message), { errno, code, sqlState, fatal })
}
