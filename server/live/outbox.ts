import { RenewedMap } from '../comings.ts'
import type { LiveRecord, LiveRequest } from './live-events.ts'

/** One progress a request in this time. */
export const progressEveryMs = 1_000
/** Events that wait for Redis; beyond, the oldest are dropped and counted. */
const mostWaiting = 16_384

interface Progress {
  request: LiveRequest
  toldAtMs: number
  isDue: boolean
}

/**
 * What this process has to tell, until it is told. Its verbs are on the relay's path: they push and mark, nothing else;
 * snapshots are made when a batch is taken.
 */
export function createOutbox(parts: { now: () => number; wake: () => void }) {
  const { now, wake } = parts
  let waiting: LiveRecord[] = []
  let lost = 0
  let recount = false
  const running = new RenewedMap<string, Progress>()
  const due = new RenewedMap<Progress, Progress>()

  function push(record: LiveRecord): void {
    waiting.push(record)
    if (waiting.length > mostWaiting) {
      waiting = waiting.slice(mostWaiting / 4)
      lost += mostWaiting / 4
    }
    wake()
  }

  return {
    push,
    recount(): void {
      recount = true
      wake()
    },
    begin(request: LiveRequest): void {
      running.set(request.requestId, { request, toldAtMs: now(), isDue: false })
      push({ started: request })
    },
    change(request: LiveRequest): void {
      let progress = running.get(request.requestId)
      if (!progress) {
        // It began when nobody listened.
        progress = { request, toldAtMs: 0, isDue: false }
        running.set(request.requestId, progress)
      }
      if (progress.isDue) return
      progress.request = request
      progress.isDue = true
      due.set(progress, progress)
      wake()
    },
    end(requestId: string): void {
      const progress = running.get(requestId)
      if (!progress) return
      running.delete(requestId)
      due.delete(progress)
    },
    /** Marks what has not been spoken of for a while, so that other processes know it lives. */
    remind(afterMs: number): void {
      for (const progress of running.values()) {
        if (progress.isDue || now() - progress.toldAtMs < afterMs) continue
        progress.isDue = true
        due.set(progress, progress)
      }
      if (due.size > 0) wake()
    },
    /** True while something waits, be it for its second to pass. */
    hasMore: (): boolean => waiting.length > 0 || due.size > 0 || recount || lost > 0,
    /** Everything that may be told now. */
    take(): { records: LiveRecord[]; lost: number; recount: boolean } | null {
      const nowMs = now()
      for (const progress of due.keys()) {
        if (nowMs - progress.toldAtMs < progressEveryMs) continue
        due.delete(progress)
        progress.isDue = false
        progress.toldAtMs = nowMs
        waiting.push({ progress: progress.request })
      }
      if (waiting.length === 0 && lost === 0 && !recount) return null
      // The relay goes on changing its objects.
      const taken = { records: waiting.map(copyOf), lost, recount }
      waiting = []
      lost = 0
      recount = false
      return taken
    },
  }
}

function copyOf(record: LiveRecord): LiveRecord {
  if ('started' in record) return { started: copyOfRequest(record.started) }
  if ('progress' in record) return { progress: copyOfRequest(record.progress) }
  return record
}

/** Written out: a spread costs many times as much. The compiler sees that no field is left out. */
function copyOfRequest(request: LiveRequest): LiveRequest {
  return {
    requestId: request.requestId,
    startedAtMs: request.startedAtMs,
    apiKeyId: request.apiKeyId,
    apiKeyName: request.apiKeyName,
    userId: request.userId,
    groupId: request.groupId,
    accountId: request.accountId,
    accountName: request.accountName,
    model: request.model,
    stream: request.stream,
    attempt: request.attempt,
    queuePosition: request.queuePosition,
    firstByteMs: request.firstByteMs,
    inputTokens: request.inputTokens,
    outputTokens: request.outputTokens,
  }
}
