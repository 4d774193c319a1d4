// What is set aside for a running request: reserved before the upstream is asked, topped up while it runs, settled at its end.
import type { Failure } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import type { Keys } from '../../keys/keys.ts'
import { costClaimsOf, resetOf } from '../../keys/limit-status.ts'
import { type LimitClaim, type LimitUnit, parseCounter, rateClaim } from '../../keys/limits.ts'
import type { Windows } from '../../keys/windows.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { billedNano } from '../../money/charge.ts'
import { promptOf } from '../../money/estimate.ts'
import { noTokens, type Tokens } from '../../money/reading.ts'
import type { Prices } from '../../prices/open-prices.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Counters } from '../../store/counters.ts'
import type { RunningRequest } from '../request/relay-request.ts'
import type { QueueLimits } from '../routing/queue.ts'
import { createEstimates } from './estimate.ts'
import { createLimitLine } from './limit-line.ts'
import { limitHeld, limitReached, limitsUnreadable, rateReached } from './limit-refusals.ts'
import { noReservation, type Reservation } from './reserved.ts'
import { usageHeaders } from './usage-headers.ts'

/** What a deployment says of limits. */
export interface LimitPolicy {
  /** When running requests have used up a limit: they may end, or are stopped. */
  whenReached: 'finish' | 'stop'
  windows: Windows
}

export interface ReservationParts {
  counters: Counters
  ledger: Pick<Ledger, 'spentNano' | 'recentUse' | 'flush'>
  keys: Pick<Keys, 'byId'>
  prices: Pick<Prices, 'estimate'>
  policy: () => LimitPolicy
  queue: QueueLimits
  now: () => number
  /** The address of the page that shows a key its limits; null: none is known. */
  keyPage: () => string | null
  onPosition: (running: RunningRequest, position: number | null) => void
  onError: (error: unknown, requestId: string) => void
}

const maxTries = 3
/** Output tokens of one top-up. */
const sliceTokens = 4000

/** What one try came to: a reservation, a refusal, or a refusal unless something becomes free. */
type Tried = { reservation: Reservation } | { refused: Failure } | { busy: Failure }

export function createReservations(parts: ReservationParts) {
  const { counters, ledger, prices, now } = parts
  const estimates = createEstimates({ recent: ledger.recentUse })
  const line = createLimitLine({ limits: parts.queue, now, onPosition: parts.onPosition })
  const report = (id: RequestId) => (error: unknown) => parts.onError(error, id.text)

  const costClaims = (key: ApiKey, atMs: number) => costClaimsOf(key, parts.policy().windows, atMs)

  async function reserve(running: RunningRequest): Promise<Reservation | Failure> {
    const { key, id, model, sessionId, body, maxTokens } = running.request
    const claims = costClaims(key, id.atMs)
    const rates = ratesOf(key)
    if (claims.length === 0 && rates.length === 0) return noReservation()
    const tokens = await estimates.estimate({ keyId: key.id, model, sessionId, body, maxTokens })
    const untilMs = now() + parts.queue.waitMs
    let isAgain = false
    // Nobody overtakes those in line.
    if (line.isWaiting(key.id)) isAgain = await line.wait(running, untilMs, false)
    for (let number = 0; ; number++) {
      const tried = await tryOnce(running, claims, rates, tokens, number)
      if (!('busy' in tried)) {
        // What became free may be enough for the next one too.
        line.wake(key.id)
        return 'refused' in tried ? tried.refused : tried.reservation
      }
      if (!(await line.wait(running, untilMs, isAgain))) return tried.busy
      isAgain = true
    }
  }

  async function tryOnce(
    { request }: RunningRequest,
    claims: readonly LimitClaim[],
    rates: readonly (readonly [RateUnit, number])[],
    tokens: Tokens,
    number: number,
  ): Promise<Tried> {
    const { key, id, model } = request
    const held: { id: string; unit: LimitUnit }[] = []
    for (const [unit, limit] of rates) {
      const claim = rateClaim(key.id, unit, limit, now())
      const one = { id: `${id.text}/${unit}/${number}`, unit }
      const amount = unit === 'tokens' ? promptOf(tokens) + tokens.output : 1
      const result = await hold(one.id, [claim], amount)
      if (result?.kind === 'held') {
        held.push(one)
        continue
      }
      free(held, id)
      return { busy: result ? rateReached(unit, limit) : limitsUnreadable(2) }
    }
    if (claims.length === 0) return { reservation: { ...noReservation(), rates: held } }
    const result = await hold(id.text, claims, billedNano(prices.estimate(model, tokens, id.atMs), key))
    if (result?.kind === 'held') {
      const headers = usageHeaders(claims, result.spentNano)
      return { reservation: { ...noReservation(), claims, rates: held, heldNano: result.amountNano, headers } }
    }
    free(held, id)
    const claim = result && claims.find(({ counter }) => counter === result.counter)
    if (!result || !claim) return { refused: limitsUnreadable(2) }
    if (result.kind === 'busy') return { busy: limitHeld(claim) }
    return { refused: limitReached(claim, await resetOf(counters, claim), now(), parts.keyPage()) }
  }

  /** Undefined: counters that were given a value have none. */
  async function hold(
    id: string,
    claims: readonly Omit<LimitClaim, 'subject' | 'rule' | 'resetsAtMs'>[],
    amount: number,
  ) {
    for (let tries = 0; tries < maxTries; tries++) {
      const result = await counters.hold(id, claims, amount)
      if (result.kind !== 'unknown') return result
      for (const counter of result.counters) await seed(counter, claims)
    }
    return undefined
  }

  /** A counter that no process knows yet begins with what the ledger says. */
  async function seed(counter: string, claims: readonly Pick<LimitClaim, 'counter' | 'expiresAtMs'>[]): Promise<void> {
    const meaning = parseCounter(counter)
    const spent = meaning.unit === 'cost' ? await ledger.spentNano(meaning) : 0
    const claim = claims.find((one) => one.counter === counter) ?? claims[0]
    await counters.seed(counter, spent, claim?.expiresAtMs ?? null)
  }

  function free(rates: readonly { id: string; unit: LimitUnit }[], id: RequestId): void {
    for (const one of rates) counters.settle(one.id, 0).catch(report(id))
  }

  return {
    async reserve(running: RunningRequest): Promise<Reservation | Failure> {
      try {
        return await reserve(running)
      } catch (error) {
        parts.onError(error, running.request.id.text)
        return limitsUnreadable(5)
      }
    },

    /** A request for which more is billed than it has reserved reserves a slice more. `onReached`: a limit is, and it must stop. */
    topUp(
      reservation: Reservation,
      request: RunningRequest['request'],
      spentNano: number,
      onReached: () => void,
    ): void {
      if (spentNano <= reservation.heldNano || reservation.isToppingUp) return
      const { id, model, key } = request
      const sliceNano = billedNano(prices.estimate(model, { ...noTokens, output: sliceTokens }, id.atMs), key)
      const nextNano = spentNano + sliceNano
      const isStrict = parts.policy().whenReached === 'stop'
      reservation.isToppingUp = true
      counters
        .top(id.text, nextNano, isStrict)
        .then((fits) => {
          if (fits || !isStrict) reservation.heldNano = nextNano
          else onReached()
        })
        .catch(report(id))
        .finally(() => {
          reservation.isToppingUp = false
        })
    },

    settle(
      reservation: Reservation,
      request: RunningRequest['request'],
      spentNano: number,
      tokens: Tokens | undefined,
    ): void {
      const { key, id, model, sessionId, body, maxTokens } = request
      const { claims: reserved, rates } = reservation
      const settled = rates.map((one) => {
        const amount =
          one.unit === 'requests' ? 1 : one.unit === 'tokens' && tokens ? promptOf(tokens) + tokens.output : 0
        return counters.settle(one.id, amount)
      })
      // A limit that was set while the request ran counts it too.
      const current = parts.keys.byId(key.id)
      const claims = reserved.length > 0 || !current ? reserved : costClaims(current, id.atMs)
      if (claims.length > 0) {
        // The journal first: a counter that outlives this process must not know of a spend that a replay would price anew.
        ledger.flush()
        settled.push(
          counters.settle(
            id.text,
            spentNano,
            claims.map(({ counter }) => counter),
          ),
        )
      }
      if (settled.length === 0) return
      if (tokens) settled.push(estimates.learn({ keyId: key.id, model, sessionId, body, maxTokens }, tokens))
      Promise.all(settled)
        .catch(report(id))
        .finally(() => line.wake(key.id))
    },

    /** No upstream was asked. */
    release({ claims, rates }: Reservation, { key, id }: RunningRequest['request']): void {
      free(rates, id)
      if (claims.length > 0) counters.settle(id.text, 0).catch(report(id))
      line.wake(key.id)
    },

    /** Nobody waits any more: the process stops. */
    cutOff: line.cutOff,
  }
}

type RateUnit = Exclude<LimitUnit, 'cost'>

const ratesOf = ({ concurrency, requestsPerMinute, tokensPerMinute }: ApiKey): (readonly [RateUnit, number])[] =>
  (
    [
      ['running', concurrency],
      ['requests', requestsPerMinute],
      ['tokens', tokensPerMinute],
    ] as const
  ).flatMap(([unit, limit]) => (limit === null ? [] : [[unit, limit] as const]))
