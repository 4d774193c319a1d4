import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Viewer } from '../../identity/sessions.ts'

/** As many as sockets (websocket.ts). */
const streamsPerUser = 20
/** What the hub tells a reader at the end of its session has this long to be read. */
const lastWordsMs = 2_000

/**
 * Answers that are streams of server-sent events: so many at once for a user, and none outlives the token it began with,
 * be it read or not. What is in them ends by itself (hub.ts); a reader that does not read would hold its connection for ever.
 */
export function createSseGate(parts: { now: () => number }) {
  const open = new Map<number, number>()
  return {
    /** False: too many. Else the answer is counted until it closes. `query`: what is asked. */
    admit(req: IncomingMessage, res: ServerResponse, viewer: Viewer | null, query: unknown): boolean {
      if (viewer === null || !mayStream(req, query)) return true
      const { userId, expiresAtMs } = viewer
      const count = open.get(userId) ?? 0
      if (count >= streamsPerUser) return false
      open.set(userId, count + 1)
      const end = setTimeout(() => res.destroy(), expiresAtMs - parts.now() + lastWordsMs)
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

/** Subscriptions stream to whoever accepts anything, or says nothing of it; other operations when they are asked to. */
function mayStream({ headers }: IncomingMessage, query: unknown): boolean {
  return (
    /text\/event-stream/i.test(headers.accept ?? '') || (typeof query === 'string' && /\bsubscription\b/.test(query))
  )
}
