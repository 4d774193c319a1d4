import { RenewedMap } from '../comings.ts'
import type { LiveRecord, LiveRequest } from './live-events.ts'

interface Entry {
  request: LiveRequest
  /** The process that serves it. */
  from: string
  newsAtMs: number
}

/** A foreign request of which nobody has spoken for this long went down with its process. */
export const silentMs = 45_000

/** Requests under way in the whole deployment, as the events tell it. */
export function createUnderWay(parts: { now: () => number; self: string }) {
  const { now, self } = parts
  const entries = new RenewedMap<string, Entry>()

  const isStale = (entry: Entry): boolean => entry.from !== self && now() - entry.newsAtMs > silentMs

  return {
    /** A request of this process: the relay's own object, which goes on changing. */
    begin(request: LiveRequest): void {
      entries.set(request.requestId, { request, from: self, newsAtMs: 0 })
    },
    end(requestId: string): void {
      entries.delete(requestId)
    },
    /** What another process told, at `atMs` of its batch. */
    hear(from: string, record: LiveRecord, atMs: number): void {
      if (from === self || 'account' in record) return
      if ('settled' in record) return void entries.delete(record.settled.requestId)
      const request = 'started' in record ? record.started : record.progress
      entries.set(request.requestId, { request, from, newsAtMs: Math.min(atMs, now()) })
    },
    sweep(): void {
      for (const [id, entry] of entries) if (isStale(entry)) entries.delete(id)
    },
    list(): LiveRequest[] {
      return [...entries.values()].filter((entry) => !isStale(entry)).map((entry) => entry.request)
    },
    own(): LiveRequest[] {
      return [...entries.values()].filter((entry) => entry.from === self).map((entry) => entry.request)
    },
  }
}
