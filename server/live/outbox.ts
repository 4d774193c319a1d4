import type { LiveRecord, LiveRequest } from './live-events.ts'

/** At most one progress event a request in this time. */
export const progressEveryMs = 1_000
/** Events that wait for Redis; beyond, the oldest are dropped and counted. */
const maxWaiting = 16_384

interface Progress {
  request: LiveRequest
  sentAtMs: number
  isDue: boolean
}

/**
 * Events of this process that are not in the stream yet. The relay calls it for every request, so its verbs only push and
 * mark; copies are made when a batch is taken.
 */
export function createOutbox(parts: { now: () => number; wake: () => void }) {
  const { now, wake } = parts
  let waiting: LiveRecord[] = []
  let lost = 0
  let recount = false
  const running = new Map<string, Progress>()
  const due = new Set<Progress>()

  function push(record: LiveRecord): void {
    waiting.push(record)
    if (waiting.length > maxWaiting) {
      waiting = waiting.slice(maxWaiting / 4)
      lost += maxWaiting / 4
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
      running.set(request.requestId, { request, sentAtMs: now(), isDue: false })
      push({ started: request })
    },
    change(request: LiveRequest): void {
      let progress = running.get(request.requestId)
      if (!progress) {
        // It began while nobody read.
        progress = { request, sentAtMs: 0, isDue: false }
        running.set(request.requestId, progress)
      }
      if (progress.isDue) return
      progress.request = request
      progress.isDue = true
      due.add(progress)
      wake()
    },
    end(requestId: string): void {
      const progress = running.get(requestId)
      if (!progress) return
      running.delete(requestId)
      due.delete(progress)
    },
    /** Marks requests without an event for `afterMs`, so that other processes know they still run. */
    remind(afterMs: number): void {
      for (const progress of running.values()) {
        if (progress.isDue || now() - progress.sentAtMs < afterMs) continue
        progress.isDue = true
        due.add(progress)
      }
      if (due.size > 0) wake()
    },
    /** True while something waits, even if only for its second to pass. */
    hasMore: (): boolean => waiting.length > 0 || due.size > 0 || recount || lost > 0,
    /** Everything that may be sent now; null when there is nothing. */
    take(): { records: LiveRecord[]; lost: number; recount: boolean } | null {
      const nowMs = now()
      for (const progress of due) {
        if (nowMs - progress.sentAtMs < progressEveryMs) continue
        due.delete(progress)
        progress.isDue = false
        progress.sentAtMs = nowMs
        waiting.push({ progress: progress.request })
      }
      if (waiting.length === 0 && lost === 0 && !recount) return null
      const taken = { records: waiting.map(copyOf), lost, recount }
      waiting = []
      lost = 0
      recount = false
      return taken
    },
  }
}

/** The relay goes on changing its request objects. */
function copyOf(record: LiveRecord): LiveRecord {
  if ('started' in record) return { started: { ...record.started } }
  if ('progress' in record) return { progress: { ...record.progress } }
  return record
}
