import { CloseCode } from 'graphql-ws'
import type { WebSocket } from 'ws'
import type { SessionsEnded, Viewer } from '../../identity/sessions.ts'

/** One socket and its viewer. */
export interface SocketEntry {
  socket: WebSocket
  /** Where it comes from (networks.ts networkOf). */
  network: string
  /** Null until its token was accepted. */
  viewer: Viewer | null
  isAlive: boolean
  expiry: NodeJS.Timeout | null
}

/** All sockets of this process. Ends them when their token or session ends, when they stop answering pings, and at the stop. */
export function createSocketList(parts: {
  socketsPerUser: number
  pingMs: number
  closeMs: number
  now: () => number
}) {
  const entries = new Set<SocketEntry>()
  const byUser = new Map<number, Set<SocketEntry>>()
  /** Counts ended sessions: a token that was checked meanwhile is checked again. */
  let endings = 0

  const pings = setInterval(() => {
    for (const entry of entries) {
      if (!entry.isAlive) entry.socket.terminate()
      else if (entry.socket.readyState === entry.socket.OPEN) {
        entry.isAlive = false
        entry.socket.ping()
      }
    }
  }, parts.pingMs)
  pings.unref()

  /** Closes; a client that does not answer the close frame in time is cut off. */
  function end(entry: SocketEntry, code: number, reason: string): void {
    const { socket } = entry
    if (socket.readyState === socket.CLOSED) return
    socket.close(code, reason)
    const timer = setTimeout(() => socket.terminate(), parts.closeMs)
    socket.once('close', () => clearTimeout(timer))
  }

  const forbid = (entry: SocketEntry): void => end(entry, CloseCode.Forbidden, 'Forbidden')

  function assign(entry: SocketEntry, viewer: Viewer): Viewer | 'too many' | null {
    const leftMs = viewer.expiresAtMs - parts.now()
    if (leftMs <= 0 || !entries.has(entry)) return null
    const theirs = byUser.get(viewer.userId) ?? new Set()
    if (theirs.size >= parts.socketsPerUser) return 'too many'
    byUser.set(viewer.userId, theirs.add(entry))
    entry.viewer = viewer
    entry.expiry = setTimeout(() => forbid(entry), leftMs)
    return viewer
  }

  return {
    add(socket: WebSocket, network: string): SocketEntry {
      const entry: SocketEntry = { socket, network, viewer: null, isAlive: true, expiry: null }
      entries.add(entry)
      socket.on('pong', () => {
        entry.isAlive = true
      })
      return entry
    },

    remove(entry: SocketEntry): void {
      entries.delete(entry)
      if (entry.expiry) clearTimeout(entry.expiry)
      const theirs = entry.viewer && byUser.get(entry.viewer.userId)
      if (theirs?.delete(entry) && theirs.size === 0) byUser.delete(entry.viewer?.userId ?? 0)
    },

    /** Checks the token and adds its viewer; null: refused. */
    async admit(entry: SocketEntry, viewerOf: () => Promise<Viewer | null>) {
      for (;;) {
        const before = endings
        const viewer = await viewerOf()
        if (viewer === null) return null
        if (before !== endings) continue
        return assign(entry, viewer)
      }
    },

    end,

    sessionsEnded(ended: SessionsEnded): void {
      endings++
      for (const entry of entries) {
        const { viewer } = entry
        if (!viewer) continue
        if ('userId' in ended ? viewer.userId === ended.userId : viewer.sessionId === ended.sessionId) forbid(entry)
      }
    },

    /** Sessions of the authenticated sockets. */
    sessions: (): number[] => [...entries].flatMap(({ viewer }) => viewer?.sessionId ?? []),

    /** Closes sockets of `asked` sessions that are not in `standing`, or whose user has another role by now. */
    checked(asked: ReadonlySet<number>, standing: ReadonlyMap<number, Viewer['role']>): void {
      endings++
      for (const entry of entries) {
        const { viewer } = entry
        if (viewer && asked.has(viewer.sessionId) && standing.get(viewer.sessionId) !== viewer.role) forbid(entry)
      }
    },

    count: () => entries.size,
    unauthenticated(): number {
      let known = 0
      for (const theirs of byUser.values()) known += theirs.size
      return entries.size - known
    },

    unauthenticatedOf: (network: string): number =>
      [...entries].filter((entry) => entry.viewer === null && entry.network === network).length,

    async close(): Promise<void> {
      clearInterval(pings)
      const closed = [...entries].map((entry) => {
        const gone = new Promise<void>((resolve) => entry.socket.once('close', () => resolve()))
        end(entry, 1001, 'Going away')
        return gone
      })
      await Promise.all(closed)
    },
  }
}
