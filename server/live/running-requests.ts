import type { LiveEvent, LiveRequest } from './live-events.ts'

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
    receive(from: string, { started, progress, settled, rejected }: LiveEvent, atMs: number): void {
      if (from === self) return
      if (settled) return void entries.delete(settled.requestId)
      if (rejected) for (const id of rejected.requestIds) entries.delete(id)
      const request = started ?? progress
      if (request) entries.set(request.requestId, { request, from, lastSeenMs: Math.min(atMs, now()) })
    },
    removeStale(): void {
      for (const [id, entry] of entries) if (isStale(entry)) entries.delete(id)
    },
    byId: (requestId: string): LiveRequest | undefined => entries.get(requestId)?.request,
    list(): LiveRequest[] {
      return [...entries.values()].filter((entry) => !isStale(entry)).map((entry) => entry.request)
    },
  }
}
