import { parentPort, workerData } from 'node:worker_threads'
import Database from 'libsql'
import { givenTo } from '../../thread.ts'
import { BatchConflict, type Scalar } from '../batch.ts'
import { runBatch } from './batch.ts'
import { type Executed, type Failure, type Opening, openedId, type Reply, type Request } from './messages.ts'
import { type Connection, createStatements } from './statements.ts'

// The thread that owns one SQLite connection. Its calls block, so they must not run on the main thread.

const opening = givenTo<Opening>(workerData)
const connection = openOrSay(opening)
const statements = createStatements(connection)

parentPort?.postMessage({ id: openedId, value: null } satisfies Reply)
parentPort?.on('message', ({ id, request }: { id: number; request: Request }) => {
  let reply: Reply
  try {
    reply = { id, value: answer(request) }
  } catch (error) {
    reply = { id, failure: failureOf(error) }
  }
  parentPort?.postMessage(reply)
  if (request.verb === 'close') parentPort?.close()
})

function answer(request: Request): unknown {
  if (request.verb === 'batch') return runBatch(connection, statements, request.writes)
  if (request.verb === 'select') return statements(request.sql).all(request.args) as Scalar[][]
  if (request.verb === 'execute') return execute(request.sql, request.args)
  if (request.verb === 'script') connection.exec(request.sql)
  else connection.close()
  return null
}

function execute(sql: string, args: readonly unknown[]): Executed {
  const statement = statements(sql)
  const { columns, columnTypes } = statement
  if (statement.returnsRows) {
    return { columns, columnTypes, rows: statement.all(args), rowsAffected: 0, lastInsertRowid: undefined }
  }
  const { changes, lastInsertRowid } = statement.run(args)
  return { columns, columnTypes, rows: [], rowsAffected: changes, lastInsertRowid }
}

/** Gives the error as a plain Error: libsql's own lose their message on the way out of a thread. */
function openOrSay(what: Opening): Connection {
  try {
    return open(what)
  } catch (error) {
    throw new Error((error as Error).message)
  }
}

function open({ path, readOnly, busyTimeoutMs }: Opening): Connection {
  const database = new Database(path, { timeout: busyTimeoutMs })
  // auto_vacuum has an effect only before the first page is written.
  if (!readOnly) database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY')
  database.exec('PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864')
  if (readOnly) database.exec('PRAGMA query_only = ON')
  return database
}

function failureOf(error: unknown): Failure {
  const { message, code, rawCode } = error as { message: string; code?: string; rawCode?: number }
  const failure: Failure = { message, code: code ?? 'SQLITE_CLIENT', ...(rawCode === undefined ? {} : { rawCode }) }
  if (error instanceof BatchConflict) {
    failure.conflict = { index: error.index, expected: error.expected, affected: error.affected }
  }
  return failure
}
