import type { LiveRecord, LiveRequest } from './live-events.ts'

interface Entry {
  request: LiveRequest
  /** The process that serves it. */
  from: string
  lastSeenMs: number
}

/** A request of another process without an event for this long ended with its process. */
export const silentMs = 45_000

/** Running requests of all processes, as their events report them. */
export function createRunningRequests(parts: { now: () => number; self: string }) {
  const { now, self } = parts
  const entries = new Map<string, Entry>()

  const isStale = (entry: Entry): boolean => entry.from !== self && now() - entry.lastSeenMs > silentMs

  return {
    /** A request of this process: the relay's own object, which goes on changing. */
    begin(request: LiveRequest): void {
      entries.set(request.requestId, { request, from: self, lastSeenMs: 0 })
    },
    end(requestId: string): void {
      entries.delete(requestId)
    },
    /** An event of another process, from a batch written at `atMs`. */
    receive(from: string, record: LiveRecord, atMs: number): void {
      if (from === self || 'account' in record) return
      if ('settled' in record) return void entries.delete(record.settled.requestId)
      const request = 'started' in record ? record.started : record.progress
      entries.set(request.requestId, { request, from, lastSeenMs: Math.min(atMs, now()) })
    },
    removeStale(): void {
      for (const [id, entry] of entries) if (isStale(entry)) entries.delete(id)
    },
    list(): LiveRequest[] {
      return [...entries.values()].filter((entry) => !isStale(entry)).map((entry) => entry.request)
    },
  }
}
