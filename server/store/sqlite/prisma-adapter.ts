import { PrismaLibSql } from '@prisma/adapter-libsql'
import type { Execute, OpenTransaction, SqliteClient } from './client.ts'

type Client = ReturnType<PrismaLibSql['createClient']>
type Transaction = Awaited<ReturnType<Client['transaction']>>
type ResultSet = Awaited<ReturnType<Client['execute']>>
type Statement = Parameters<Transaction['execute']>[0]

/** Prisma's libsql adapter over our own connection; DateTime is stored as integer milliseconds. */
export class PrismaSqlite extends PrismaLibSql {
  readonly #client: SqliteClient

  constructor(client: SqliteClient) {
    super({ url: 'file:' }, { timestampFormat: 'unixepoch-ms' })
    this.#client = client
  }

  override createClient(): Client {
    return prismaClientOn(this.#client)
  }
}

/** The part of @libsql/client that the adapter uses; the rest throws. The thread is closed where it was opened. */
function prismaClientOn(client: SqliteClient): Client {
  const refuse = (): never => {
    throw new Error('not offered by the SQLite thread')
  }
  return {
    execute: (statement: Statement) => run(client.execute, statement),
    transaction: async () => prismaTransactionOn(await client.begin()),
    batch: refuse,
    migrate: refuse,
    executeMultiple: refuse,
    sync: refuse,
    reconnect: refuse,
    close: () => undefined,
    closed: false,
    protocol: 'file',
  }
}

function prismaTransactionOn(open: OpenTransaction): Transaction {
  return {
    execute: (statement) => run(open.execute, statement),
    batch: () => Promise.reject(new Error('not offered by the SQLite thread')),
    executeMultiple: (sql) => open.script(sql),
    commit: () => open.commit(),
    rollback: () => open.rollback(),
    close: () => undefined,
    get closed() {
      return open.closed
    },
  }
}

async function run(execute: Execute, statement: Statement): Promise<ResultSet> {
  const { sql, args = [] } = typeof statement === 'string' ? { sql: statement } : statement
  if (!Array.isArray(args)) throw new TypeError('named parameters are not offered by the SQLite thread')
  const answer = await execute(sql, args)
  // Prisma reads rows by index only, so they need no column names.
  return { ...answer, rows: answer.rows as unknown as ResultSet['rows'], toJSON: () => answer }
}
