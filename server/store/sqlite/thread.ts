import type { Worker } from 'node:worker_threads'
import { BatchConflict } from '../batch.ts'
import type { StoreLog } from '../store-log.ts'
import { OutcomeUnknown } from '../write-failures.ts'
import { type Answers, openedId, type Reply, type Request } from './messages.ts'

type Ask = <R extends Request>(request: R, whenLost?: () => Error) => Promise<Answers[R['verb']]>

/** One run of the thread. A transaction keeps its link: on a new thread its statements would be outside of it. */
export interface Link {
  ask: Ask
}

export interface SqliteThread {
  /** Asks the running thread; starts one if there is none. */
  ask: Ask
  link(): Link
  /** Lets the thread finish pending requests, close its connection and end. Later calls are refused. */
  close(): Promise<void>
}

interface Waiting {
  resolve: (value: never) => void
  reject: (error: Error) => void
  whenLost: () => Error
}

/**
 * Sends requests to the thread that owns a SQLite connection. When the thread dies, pending requests are rejected (as
 * OutcomeUnknown, because a write may have been committed, unless the caller gave another error), and the next request starts
 * a new thread.
 */
export function createSqliteThread(parts: { start: () => Worker; path: string; log: StoreLog }): SqliteThread {
  let living: (Link & { ended: Promise<void> }) | undefined
  let closed = false

  function link(): Link {
    if (closed) throw new Error('the database is closed')
    if (living) return living
    const born = createLink(parts, (reason, opened) => {
      if (living === born) living = undefined
      // A file that cannot be opened is reported to the first caller, not here.
      if (!closed && opened) parts.log.error({ reason }, 'the SQLite thread died; the next query starts a new one')
    })
    living = born
    return born
  }

  return {
    link,
    // async, so that a refusal is a rejection like every other failure.
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
          // A value cannot be cloned: nothing was sent.
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
    // The same code as SQLite's own error: by it the start knows which setting to name.
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
  // Prisma's adapter makes P2002 and other codes of `code` and `rawCode`.
  return Object.assign(new Error(failure.message), { code: failure.code, rawCode: failure.rawCode })
}
