// Requests that wait until running ones of their key leave room in its limits.
import type { RunningRequest } from '../request/relay-request.ts'
import type { QueueLimits } from '../routing/queue.ts'

/** For what sends no event: minutes that pass, and requests of other processes. */
const tickMs = 250

interface Waiter {
  running: RunningRequest
  untilMs: number
  wake: (mayTry: boolean) => void
}

/** A line for each key: who came first tries first. Bounded in length and in time. */
export function createLimitLine(parts: {
  limits: QueueLimits
  now: () => number
  onPosition: (running: RunningRequest, position: number | null) => void
}) {
  const { limits, now } = parts
  const lines = new Map<number, Waiter[]>()
  let clock: NodeJS.Timeout | null = null

  function announce(line: readonly Waiter[]): void {
    for (const [index, { running }] of line.entries()) parts.onPosition(running, index + 1)
  }

  function leave(waiter: Waiter, mayTry: boolean): void {
    const { id } = waiter.running.request.key
    const line = lines.get(id) ?? []
    const at = line.indexOf(waiter)
    if (at < 0) return
    line.splice(at, 1)
    if (line.length === 0) lines.delete(id)
    if (lines.size === 0 && clock) {
      clearInterval(clock)
      clock = null
    }
    waiter.running.client.onLeave = null
    parts.onPosition(waiter.running, null)
    announce(line)
    waiter.wake(mayTry)
  }

  function tick(): void {
    const at = now()
    for (const line of Array.from(lines.values())) {
      for (const waiter of line.slice()) if (at >= waiter.untilMs) leave(waiter, false)
      if (line[0]) leave(line[0], true)
    }
  }

  return {
    /** Resolves with true when the request may try again; false: it waited long enough, too many wait, or its client left. */
    wait(running: RunningRequest, untilMs: number, isAgain: boolean): Promise<boolean> {
      const { client, request } = running
      const line = lines.get(request.key.id) ?? []
      if (now() >= untilMs || client.hasLeft || (!isAgain && line.length >= limits.length))
        return Promise.resolve(false)
      return new Promise((resolve) => {
        const waiter: Waiter = { running, untilMs, wake: resolve }
        // Who tried in vain keeps its place.
        if (isAgain) line.unshift(waiter)
        else line.push(waiter)
        lines.set(request.key.id, line)
        client.onLeave = () => leave(waiter, false)
        clock ??= setInterval(tick, tickMs)
        announce(line)
      })
    },

    /** Something of this key has ended: the first in line tries. */
    wake(keyId: number): void {
      const first = lines.get(keyId)?.[0]
      if (first) leave(first, true)
    },

    isWaiting: (keyId: number): boolean => lines.has(keyId),

    /** Everybody leaves: the process stops. */
    cutOff(): void {
      for (const line of Array.from(lines.values())) for (const waiter of line.slice()) leave(waiter, false)
    },
  }
}
