import type { Socket } from 'node:net'

/** The part of a socket's handle that node:net itself looks at for its timeouts. */
type WithQueue = Socket & { _handle?: { writeQueueSize?: number } | null }

/**
 * Destroys the socket when the other side takes nothing of what waits for it: after `ms` at the soonest, 1.5 times that at the latest.
 * A socket's own timeout would do but for one thing: whatever the other side sends starts it anew. Gives what ends the watch.
 */
export function watchUntaken(socket: Socket, ms: number): () => void {
  const waiting = (): number => socket.writableLength + ((socket as WithQueue)._handle?.writeQueueSize ?? 0)
  let before = waiting()
  let sinceMs = performance.now()
  const clock = setInterval(() => {
    const left = waiting()
    const now = performance.now()
    if (left !== before) {
      before = left
      sinceMs = now
    } else if (now - sinceMs >= ms) {
      stop()
      socket.destroy()
    }
  }, ms / 2).unref()
  const stop = () => clearInterval(clock)
  return stop
}
