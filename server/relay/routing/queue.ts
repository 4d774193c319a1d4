// The waiting lines of the groups: requests that find every account at its concurrency limit.
import type { RunningRequest } from '../request/relay-request.ts'
import type { RequestCriteria } from './route-criteria.ts'
import type { Slot } from './slot.ts'

export interface QueueLimits {
  /** How long a request waits for a slot at most; 0: nobody waits. */
  waitMs: number
  /** Requests that may wait in one group. */
  length: number
}

export interface QueueParts {
  limits: QueueLimits
  now: () => number
  /** Takes a slot for the request where one is free. */
  take: (running: RunningRequest, criteria: RequestCriteria) => Slot | undefined
  /** True while a slot is all that the request waits for. */
  waitsForSlot: (running: RunningRequest, criteria: RequestCriteria) => boolean
  /** Its position in the queue, from 1; null when it left. */
  onPosition: (running: RunningRequest, position: number | null) => void
}

/** A slot is passed on when it becomes free; the clock is for what sends no event: an account that is ready again, an edit, a deadline. */
const tickMs = 250

interface Waiter {
  running: RunningRequest
  criteria: RequestCriteria
  resolve: (slot: Slot | undefined) => void
}

/**
 * A line for each group: keys take turns, and within a key who came first goes first. Bounded in length and in time; who
 * leaves frees its position.
 */
export function createQueue(parts: QueueParts) {
  const { limits, now } = parts
  /** By group, then by key in the order of their turns. */
  const lines = new Map<number, Map<number, Waiter[]>>()
  let clock: NodeJS.Timeout | null = null

  /** Resolves with the slot once it is taken, or undefined: too many wait, too long, or the client left. */
  function join(running: RunningRequest, criteria: RequestCriteria): Promise<Slot | undefined> {
    const { client, request } = running
    const { id: keyId, groupId } = request.key
    // One deadline for a request, however often it stands in line.
    if (criteria.waitsUntilMs === 0) criteria.waitsUntilMs = now() + limits.waitMs
    if (now() >= criteria.waitsUntilMs || waitingIn(groupId) >= limits.length || client.hasLeft)
      return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const waiter: Waiter = { running, criteria, resolve }
      const line = lines.get(groupId) ?? new Map<number, Waiter[]>()
      lines.set(groupId, line)
      const ofKey = line.get(keyId)
      if (ofKey) ofKey.push(waiter)
      else line.set(keyId, [waiter])
      client.onLeave = () => leave(waiter)
      clock ??= setInterval(tick, tickMs)
      announcePositions(line)
    })
  }

  function end({ running, resolve }: Waiter, slot: Slot | undefined): void {
    running.client.onLeave = null
    parts.onPosition(running, null)
    resolve(slot)
  }

  /** Gives free slots to those who wait in these groups: groups take turns, and the keys of a group. */
  function serve(groupIds: Iterable<number>): void {
    const served = new Set(groupIds)
    // Who is served goes to the end of the turns: going on with the rest visits every group once, then those again.
    for (const [groupId, line] of lines) {
      if (!served.has(groupId) || !serveOne(line)) continue
      lines.delete(groupId)
      if (line.size > 0) lines.set(groupId, line)
      afterChange(line)
    }
  }

  /** Gives a free slot to the next one of the line who can take it. False: there is none. */
  function serveOne(line: Map<number, Waiter[]>): boolean {
    for (const [keyId, waiters] of line) {
      for (const waiter of waiters) {
        waiter.criteria.nowMs = now()
        const slot = parts.take(waiter.running, waiter.criteria)
        if (!slot) continue
        line.delete(keyId)
        waiters.splice(waiters.indexOf(waiter), 1)
        if (waiters.length > 0) line.set(keyId, waiters)
        end(waiter, slot)
        return true
      }
    }
    return false
  }

  function leave(waiter: Waiter): void {
    const { groupId, id } = waiter.running.request.key
    const line = lines.get(groupId)
    const waiters = line?.get(id)
    if (!line || !waiters) return
    waiters.splice(waiters.indexOf(waiter), 1)
    if (waiters.length === 0) line.delete(id)
    if (line.size === 0) lines.delete(groupId)
    end(waiter, undefined)
    afterChange(line)
  }

  function afterChange(line: Map<number, Waiter[]>): void {
    announcePositions(line)
    if (lines.size > 0 || !clock) return
    clearInterval(clock)
    clock = null
  }

  function tick(): void {
    serve([...lines.keys()])
    const at = now()
    for (const waiter of all()) {
      waiter.criteria.nowMs = at
      if (at >= waiter.criteria.waitsUntilMs || !parts.waitsForSlot(waiter.running, waiter.criteria)) leave(waiter)
    }
  }

  const all = (): Waiter[] => [...lines.values()].flatMap((line) => [...line.values()].flat())

  function waitingIn(groupId: number): number {
    let count = 0
    for (const waiters of lines.get(groupId)?.values() ?? []) count += waiters.length
    return count
  }

  /** Round by round, as turns will be taken. */
  function announcePositions(line: Map<number, Waiter[]>): void {
    let position = 0
    for (let round = 0, more = true; more; round++) {
      more = false
      for (const waiters of line.values()) {
        const waiter = waiters[round]
        if (!waiter) continue
        more = true
        parts.onPosition(waiter.running, ++position)
      }
    }
  }

  return {
    join,
    serve,
    isEmpty: (): boolean => lines.size === 0,
    /** Requests waiting in a group. */
    waitingIn,
    /** Everybody leaves: the process stops. */
    cutOff(): void {
      for (const waiter of all()) leave(waiter)
    },
  }
}
