import type { Worker } from 'node:worker_threads'
import { BatchConflict } from '../batch.ts'
import type { StoreLog } from '../store-log.ts'
import { OutcomeUnknown } from '../write-failures.ts'
import { type Answers, openedId, type Reply, type Request } from './messages.ts'

type Ask = <R extends Request>(request: R, whenLost?: () => Error) => Promise<Answers[R['verb']]>

/** One life of the thread. A transaction keeps its link: what follows on another life would not be inside it. */
export interface Link {
  ask: Ask
}

export interface SqliteThread {
  /** Asks the living thread, starting one if there is none. */
  ask: Ask
  link(): Link
  /** Lets the thread answer what it was asked, close its connection and end. Later calls are refused. */
  close(): Promise<void>
}

interface Waiting {
  resolve: (value: never) => void
  reject: (error: Error) => void
  whenLost: () => Error
}

/**
 * Questions and answers to the thread that owns a SQLite connection. When the thread dies, everything unanswered is rejected
 * (as OutcomeUnknown, unless the asker knows better: it may have been committed), and the next question starts a new one.
 */
export function createSqliteThread(parts: { start: () => Worker; path: string; log: StoreLog }): SqliteThread {
  let living: (Link & { ended: Promise<void> }) | undefined
  let closed = false

  function link(): Link {
    if (closed) throw new Error('the database is closed')
    if (living) return living
    const born = createLink(parts, (reason, opened) => {
      if (living === born) living = undefined
      // Who asked first hears of a file that does not open.
      if (!closed && opened) parts.log.error({ reason }, 'the SQLite thread died; the next query starts a new one')
    })
    living = born
    return born
  }

  return {
    link,
    // async: a refusal is a rejection, like every other failure.
    ask: async (request, whenLost) => link().ask(request, whenLost),
    async close() {
      const last = living
      closed = true
      if (!last) return
      await last.ask({ verb: 'close' }).catch(() => undefined)
      await last.ended
    },
  }
}

function createLink(
  { start, path }: { start: () => Worker; path: string },
  onEnd: (reason: string, opened: boolean) => void,
): Link & { ended: Promise<void> } {
  const worker = start()
  const waiting = new Map<number, Waiting>()
  let lastId = openedId
  let reason = ''
  let dead = false
  let opened = false

  worker.on('message', (reply: Reply) => {
    if (reply.id === openedId) opened = true
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('value' in reply) asker?.resolve(reply.value as never)
    else asker?.reject(errorOf(reply))
  })
  worker.on('error', (error) => {
    reason = error.message
  })
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      dead = true
      const askers = [...waiting.values()]
      waiting.clear()
      onEnd(reason || `exit code ${code}`, opened)
      for (const asker of askers) asker.reject(opened ? withReason(asker.whenLost(), reason) : notOpened(path, reason))
      resolve()
    })
  })

  return {
    ended,
    ask(request, whenLost = unknownOutcome) {
      if (dead) return Promise.reject(whenLost())
      return new Promise((resolve, reject) => {
        lastId += 1
        waiting.set(lastId, { resolve, reject, whenLost })
        try {
          worker.postMessage({ id: lastId, request })
        } catch (error) {
          // Something in the request cannot be cloned: nothing was sent.
          waiting.delete(lastId)
          reject(error)
        }
      })
    },
  }
}

const unknownOutcome = (): Error => new OutcomeUnknown('the SQLite thread died before it answered')

const notOpened = (path: string, reason: string): Error =>
  Object.assign(
    withReason(new Error(`the SQLite file ${path} could not be opened`), reason),
    // As SQLite's own errors have one: by it the start knows which setting to name.
    { code: 'SQLITE_CANTOPEN' },
  )

function withReason(error: Error, reason: string): Error {
  if (reason) error.message += ` (${reason})`
  return error
}

function errorOf({ failure }: Extract<Reply, { failure: unknown }>): Error {
  if (failure.conflict) {
    return new BatchConflict(failure.conflict.index, failure.conflict.expected, failure.conflict.affected)
  }
  // `code` and `rawCode` are what Prisma's adapter maps to P2002 and its kin.
  return Object.assign(new Error(failure.message), { code: failure.code, rawCode: failure.rawCode })
}
