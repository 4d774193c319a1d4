import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Viewer } from '../../identity/sessions.ts'

/** The same as for sockets (websocket.ts). */
const streamsPerUser = 20
/** After the session's end a stream may deliver its last events for this long. */
const graceMs = 2_000

/**
 * Limits streams of server-sent events: so many at once for a user, and none outlives its access token. The hub ends the
 * subscription at that time; this closes the connection of a client that does not read.
 */
export function createSseGate(parts: { now: () => number }) {
  const open = new Map<number, number>()
  return {
    /** False: too many. Else the response is counted until it closes. */
    admit(req: IncomingMessage, res: ServerResponse, viewer: Viewer | null, query: unknown): boolean {
      if (viewer === null || !mayStream(req, query)) return true
      const { userId, expiresAtMs } = viewer
      const count = open.get(userId) ?? 0
      if (count >= streamsPerUser) return false
      open.set(userId, count + 1)
      const end = setTimeout(() => res.destroy(), expiresAtMs - parts.now() + graceMs)
      res.once('close', () => {
        clearTimeout(end)
        const left = (open.get(userId) ?? 1) - 1
        if (left === 0) open.delete(userId)
        else open.set(userId, left)
      })
      return true
    },
  }
}

/** Yoga streams subscriptions whatever is accepted, other operations only to clients that accept event streams. */
export function mayStream({ headers }: IncomingMessage, query: unknown): boolean {
  return (
    /text\/event-stream/i.test(headers.accept ?? '') || (typeof query === 'string' && /\bsubscription\b/.test(query))
  )
}
