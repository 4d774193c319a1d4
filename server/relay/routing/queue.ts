import type { Account } from '../../accounts/account.ts'
import type { Exchange } from '../request/exchange.ts'
import type { TrialWish } from './affinity.ts'

export interface QueueLimits {
  /** How long a request waits for a place at most; 0: nobody waits. */
  waitMs: number
  /** Requests that may wait in one group. */
  length: number
}

export interface QueueParts {
  limits: QueueLimits
  now: () => number
  /** Takes a place for the request where one is free. */
  take: (exchange: Exchange, wish: TrialWish) => Account | undefined
  /** True while a place is all that the request waits for. */
  waitsForPlace: (exchange: Exchange, wish: TrialWish) => boolean
  /** Its place in the queue, from 1; null when it left. */
  onPosition: (exchange: Exchange, position: number | null) => void
}

/** Places are given on when one becomes free; the clock is for what nobody tells: an account back from a rest, an edit, a deadline. */
const tickMs = 250

/**
 * Requests that wait for a place at an account with limited concurrency, a line for each group: keys take turns, and within
 * a key who came first goes first. Bounded in length and in time; who leaves frees its place in the line.
 */
export function createQueue(parts: QueueParts) {
  const { limits, now } = parts
  /** By group, then by key in the order of their turns. */
  const lines = new Map<number, Map<number, Waiter[]>>()
  let clock: NodeJS.Timeout | null = null

  class Waiter {
    constructor(
      readonly exchange: Exchange,
      readonly wish: TrialWish,
      private readonly resolve: (account: Account | undefined) => void,
    ) {}

    clientIsGone(): void {
      leave(this, undefined)
    }

    end(account: Account | undefined): void {
      this.exchange.call = null
      parts.onPosition(this.exchange, null)
      this.resolve(account)
    }
  }

  /** Waits for a place; resolves with the account once it is taken, or undefined: too many wait, too long, or the client left. */
  function join(exchange: Exchange, wish: TrialWish): Promise<Account | undefined> {
    const { groupId } = exchange.key
    // One deadline a request, however often it stands in line.
    if (wish.waitsUntilMs === 0) wish.waitsUntilMs = now() + limits.waitMs
    if (now() >= wish.waitsUntilMs || waitingIn(groupId) >= limits.length || exchange.clientLeft)
      return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const waiter = new Waiter(exchange, wish, resolve)
      let line = lines.get(groupId)
      if (!line) {
        line = new Map()
        lines.set(groupId, line)
      }
      const ofKey = line.get(exchange.key.id)
      if (ofKey) ofKey.push(waiter)
      else line.set(exchange.key.id, [waiter])
      exchange.call = waiter
      clock ??= setInterval(tick, tickMs)
      tellPositions(line)
    })
  }

  /** Gives free places to those who wait, in turn. Called when a place of the group became free. */
  function serve(groupId: number): void {
    const line = lines.get(groupId)
    if (!line) return
    let served = false
    // Who is served goes to the end of the turns: going on with the rest visits every key once, then those again.
    for (const [keyId, waiters] of line) {
      for (const waiter of waiters) {
        waiter.wish.nowMs = now()
        const account = parts.take(waiter.exchange, waiter.wish)
        if (!account) continue
        line.delete(keyId)
        waiters.splice(waiters.indexOf(waiter), 1)
        if (waiters.length > 0) line.set(keyId, waiters)
        waiter.end(account)
        served = true
        break
      }
    }
    if (served) afterChange(groupId, line)
  }

  function leave(waiter: Waiter, account: Account | undefined): void {
    const { groupId, id } = waiter.exchange.key
    const line = lines.get(groupId)
    const waiters = line?.get(id)
    if (!line || !waiters) return
    waiters.splice(waiters.indexOf(waiter), 1)
    if (waiters.length === 0) line.delete(id)
    waiter.end(account)
    afterChange(groupId, line)
  }

  function afterChange(groupId: number, line: Map<number, Waiter[]>): void {
    if (line.size > 0) return tellPositions(line)
    lines.delete(groupId)
    if (lines.size > 0 || !clock) return
    clearInterval(clock)
    clock = null
  }

  function tick(): void {
    for (const groupId of lines.keys()) serve(groupId)
    const at = now()
    for (const waiter of all()) {
      waiter.wish.nowMs = at
      if (at >= waiter.wish.waitsUntilMs || !parts.waitsForPlace(waiter.exchange, waiter.wish)) leave(waiter, undefined)
    }
  }

  const all = (): Waiter[] => [...lines.values()].flatMap((line) => [...line.values()].flat())

  function waitingIn(groupId: number): number {
    let count = 0
    for (const waiters of lines.get(groupId)?.values() ?? []) count += waiters.length
    return count
  }

  /** Round by round, as turns will be taken. */
  function tellPositions(line: Map<number, Waiter[]>): void {
    let position = 0
    for (let round = 0, more = true; more; round++) {
      more = false
      for (const waiters of line.values()) {
        const waiter = waiters[round]
        if (!waiter) continue
        more = true
        parts.onPosition(waiter.exchange, ++position)
      }
    }
  }

  return {
    join,
    serve,
    /** Requests waiting in a group. */
    waitingIn,
    /** Everybody leaves: the process stops. */
    cutOff(): void {
      for (const waiter of all()) leave(waiter, undefined)
    },
  }
}
