import {
  type Claim,
  type CounterParts,
  type Counters,
  checkAmount,
  defaultHoldTtlMs,
  defaultRememberMs,
  distinct,
  type HoldResult,
  partsOf,
} from '../counters.ts'

interface Counter {
  spentNano: number
  /** Σ of `holds`. */
  heldNano: number
  /** By request id. */
  holds: Map<string, { amountNano: number; deadlineMs: number }>
  /** No hold ends before this. */
  soonestDeadlineMs: number
  expiresAtMs: number
}

const sweepEveryMs = 60_000
/** Within one process a request is settled again at once or never: few ids are enough. */
const maxRemembered = 100_000

/** Counters of one process. They end with it and are seeded from the ledger at the next start. */
export function createMemoryCounters(parts: CounterParts): Counters {
  const { now, holdTtlMs = defaultHoldTtlMs, rememberMs = defaultRememberMs } = parts
  const counters = new Map<string, Counter>()
  /** Requests in flight with their claims, and when to forget them. */
  const open = new Map<string, { claims: readonly Claim[]; forgetAtMs: number }>()
  /** Settled request ids, oldest first, and when to forget them. */
  const settled = new Map<string, number>()
  let sweptAtMs = now()

  return {
    async seed(counter, spentNano, expiresAtMs) {
      checkAmount('spentNano', spentNano)
      const expires = expiresAtMs ?? Number.POSITIVE_INFINITY
      if (expires <= now() || live(counter) !== undefined) return
      counters.set(counter, {
        spentNano,
        heldNano: 0,
        holds: new Map(),
        soonestDeadlineMs: Number.POSITIVE_INFINITY,
        expiresAtMs: expires,
      })
    },

    async hold(requestId, claims, amountNano) {
      checkAmount('amountNano', amountNano)
      for (const claim of claims) checkAmount('limitNano', claim.limitNano)
      sweep()
      if (open.has(requestId) || settled.has(requestId) || claims.length === 0)
        return { kind: 'held', amountNano, spentNano: [] }
      const fitted = fitOf(claims, amountNano)
      if (typeof fitted !== 'number') return fitted
      const spentNano: number[] = []
      for (const claim of claims) {
        const counter = live(claim.counter)!
        spentNano.push(sumOf(claim).spentNano)
        setHold(counter, requestId, fitted)
        counter.expiresAtMs = Math.max(counter.expiresAtMs, claim.expiresAtMs ?? Number.POSITIVE_INFINITY)
      }
      open.set(requestId, { claims, forgetAtMs: now() + rememberMs })
      return { kind: 'held', amountNano: fitted, spentNano }
    },

    async top(requestId, amountNano, isStrict = false) {
      checkAmount('amountNano', amountNano)
      const request = open.get(requestId)
      if (request === undefined) return true
      request.forgetAtMs = now() + rememberMs
      const fits = request.claims.every((claim) => {
        const own = live(claim.counter)?.holds.get(requestId)?.amountNano ?? 0
        const { spentNano, heldNano } = sumOf(claim)
        return spentNano + heldNano - own + Math.max(own, amountNano) <= claim.limitNano
      })
      for (const { counter: name } of request.claims) {
        const counter = live(name)
        if (counter !== undefined) setHold(counter, requestId, isStrict && !fits ? 0 : amountNano)
      }
      return fits
    },

    async settle(requestId, spentNano, named) {
      checkAmount('spentNano', spentNano)
      sweep()
      const names = distinct(open.get(requestId)?.claims.map(({ counter }) => counter) ?? named ?? [])
      if (settled.has(requestId) || names.length === 0) return
      open.delete(requestId)
      settled.set(requestId, now() + rememberMs)
      for (const name of names) {
        const counter = live(name)
        if (counter === undefined) continue
        drop(counter, requestId)
        counter.spentNano += spentNano
      }
    },

    async unsettled() {
      return [...open.keys()]
    },

    async read(counter) {
      const found = live(counter)
      return found === undefined ? null : { spentNano: found.spentNano, heldNano: found.heldNano }
    },

    async close() {
      counters.clear()
      open.clear()
      settled.clear()
    },
  }

  /** What a request may hold; a refusal when it may not. */
  function fitOf(claims: readonly Claim[], amountNano: number): HoldResult | number {
    const unknown = claims.flatMap(partsOf).filter((counter) => live(counter) === undefined)
    if (unknown.length > 0) return { kind: 'unknown', counters: distinct(unknown) }
    const standing = claims.map((claim) => ({ ...claim, ...sumOf(claim) }))
    const over = standing.find((claim) => claim.spentNano >= claim.limitNano)
    if (over !== undefined) return { kind: 'over', counter: over.counter, spentNano: over.spentNano }
    // Alone, it takes what is left.
    const fitted = standing.reduce(
      (least, { heldNano, limitNano, spentNano }) => (heldNano > 0 ? least : Math.min(least, limitNano - spentNano)),
      amountNano,
    )
    const busy = standing.find(({ spentNano, heldNano, limitNano }) => spentNano + heldNano + fitted > limitNano)
    if (busy === undefined) return fitted
    return { kind: 'busy', counter: busy.counter, spentNano: busy.spentNano, heldNano: busy.heldNano }
  }

  function sumOf(claim: Claim): { spentNano: number; heldNano: number } {
    let spentNano = 0
    let heldNano = 0
    for (const name of partsOf(claim)) {
      const counter = live(name)
      spentNano += counter?.spentNano ?? 0
      heldNano += counter?.heldNano ?? 0
    }
    return { spentNano, heldNano }
  }

  /** The counter without expired holds; undefined when it is absent or expired. */
  function live(name: string): Counter | undefined {
    const counter = counters.get(name)
    if (counter === undefined) return undefined
    const at = now()
    if (counter.expiresAtMs <= at) {
      counters.delete(name)
      return undefined
    }
    if (counter.soonestDeadlineMs <= at) {
      counter.soonestDeadlineMs = Number.POSITIVE_INFINITY
      for (const [requestId, hold] of counter.holds) {
        if (hold.deadlineMs <= at) drop(counter, requestId)
        else counter.soonestDeadlineMs = Math.min(counter.soonestDeadlineMs, hold.deadlineMs)
      }
    }
    return counter
  }

  function setHold(counter: Counter, requestId: string, amountNano: number): void {
    const before = counter.holds.get(requestId)?.amountNano ?? 0
    const hold = { amountNano: Math.max(before, amountNano), deadlineMs: now() + holdTtlMs }
    counter.holds.set(requestId, hold)
    counter.heldNano += hold.amountNano - before
    counter.soonestDeadlineMs = Math.min(counter.soonestDeadlineMs, hold.deadlineMs)
  }

  function drop(counter: Counter, requestId: string): void {
    counter.heldNano -= counter.holds.get(requestId)?.amountNano ?? 0
    counter.holds.delete(requestId)
  }

  /** Bounds the memory: counters and ids that nobody asks for again would stay for ever. */
  function sweep(): void {
    const at = now()
    // The absolute difference, because a clock that was set back would stop the sweeps.
    if (Math.abs(at - sweptAtMs) >= sweepEveryMs) {
      sweptAtMs = at
      for (const name of counters.keys()) live(name)
      for (const [id, request] of open) if (request.forgetAtMs <= at) open.delete(id)
    }
    for (const [id, forgetAtMs] of settled) {
      if (forgetAtMs > at && settled.size <= maxRemembered) break
      settled.delete(id)
    }
  }
}
