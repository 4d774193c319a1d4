// Money set aside for a running request: reserved before the upstream is asked, topped up while it runs, settled at its end.
import { type Failure, fail } from '../../errors.ts'
import type { ApiKey, Keys } from '../../keys/keys.ts'
import { claimsOf, type LimitClaim, parseCounter } from '../../keys/limits.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { formatUsd } from '../../money/usd.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Counters } from '../../store/counters.ts'
import type { ZoneDay } from '../../zone-days.ts'
import { limitHeaders, usageHeaders } from './usage-headers.ts'

export interface Reservation {
  readonly claims: readonly LimitClaim[]
  /** Grows by top-ups. */
  heldNano: number
  /** What a successful response tells the client of these limits. */
  readonly headers: readonly string[]
}

export interface ReservationParts {
  counters: Counters
  ledger: Pick<Ledger, 'spentNano' | 'flush'>
  keys: Pick<Keys, 'byId'>
  dayAt: (atMs: number) => ZoneDay
  onError: (error: unknown, requestId: string) => void
}

/** A key without limits reserves nothing, and no counter is asked. */
export const noReservation = (): Reservation => ({ claims: [], heldNano: 0, headers: [] })

const maxTries = 3

export function createReservations(parts: ReservationParts) {
  const { counters, ledger, dayAt } = parts

  /**
   * Reserves `amountNano` on the key's limits, or says which one is used up. A key is let in while spent + reserved is below
   * its limit, so that it can pass the limit by one reservation at most (and by what a request costs above its own).
   */
  async function reserve(key: ApiKey, id: RequestId, amountNano: number): Promise<Reservation | Failure> {
    const day = dayAt(id.atMs)
    const claims = claimsOf(key.id, key, day)
    if (claims.length === 0) return noReservation()
    for (let tries = 0; tries < maxTries; tries++) {
      const result = await counters.hold(id.text, claims, amountNano)
      if (result.kind === 'held')
        return { claims, heldNano: amountNano, headers: usageHeaders(claims, result.spentNano, day) }
      if (result.kind === 'unknown') {
        await seed(claims.filter(({ counter }) => result.counters.includes(counter)))
        continue
      }
      const isDaily = parseCounter(result.counter).day !== null
      const limitNano = claims.find((claim) => claim.counter === result.counter)?.limitNano ?? 0
      return result.kind === 'over' ? limitReached(isDaily, limitNano, day, id.atMs) : limitHeld(isDaily, limitNano)
    }
    return limitsUnreadable(2)
  }

  /** Counters that no process knows yet begin with what the ledger says. */
  async function seed(claims: readonly LimitClaim[]): Promise<void> {
    for (const { counter, expiresAtMs } of claims) {
      const { keyId, day } = parseCounter(counter)
      await counters.seed(counter, await ledger.spentNano(keyId, day), expiresAtMs)
    }
  }

  const report = (id: RequestId) => (error: unknown) => parts.onError(error, id.text)

  return {
    async reserve(key: ApiKey, id: RequestId, amountNano: number): Promise<Reservation | Failure> {
      try {
        return await reserve(key, id, amountNano)
      } catch (error) {
        parts.onError(error, id.text)
        return limitsUnreadable(5)
      }
    },

    /** A request that costs more than it has reserved reserves more. */
    topUp(reservation: Reservation, id: RequestId, costNano: number): void {
      if (costNano <= reservation.heldNano) return
      reservation.heldNano = costNano
      counters.top(id.text, costNano).catch(report(id))
    },

    settle({ claims: reserved }: Reservation, key: ApiKey, id: RequestId, spentNano: number): void {
      // A limit that was set while the request ran counts it too.
      const current = parts.keys.byId(key.id)
      const claims = reserved.length > 0 || !current ? reserved : claimsOf(key.id, current, dayAt(id.atMs))
      if (claims.length === 0) return
      // The journal first: a counter that outlives this process must not know of a spend that a replay would price anew.
      ledger.flush()
      const names = claims.map((claim) => claim.counter)
      counters.settle(id.text, spentNano, names).catch(report(id))
    },

    /** No upstream was asked. */
    release({ claims }: Reservation, id: RequestId): void {
      if (claims.length > 0) counters.settle(id.text, 0).catch(report(id))
    },
  }
}

const limitsUnreadable = (retryAfterS: number): Failure =>
  fail('ledger_unavailable', 'The limits of this key cannot be read at the moment.', { retryAfterS })

const limitHeld = (isDaily: boolean, limitNano: number): Failure =>
  fail(
    'limit_held',
    `What is left of this key's ${isDaily ? 'daily' : 'total'} limit of $${formatUsd(limitNano)} is held by requests in flight. Try again in a moment.`,
    { retryAfterS: 2 },
  )

/** As Claude Code shows a cap: 429 billing_error, no retry, the reset named (claude-code-signin.md, "A cap the client can show"). */
function limitReached(isDaily: boolean, limitNano: number, day: ZoneDay, nowMs: number): Failure {
  const limit = `$${formatUsd(limitNano)}`
  if (!isDaily) {
    return fail(
      'limit_reached',
      `The total limit of ${limit} of this API key is reached. Ask the administrator of this relay to raise it.`,
    )
  }
  return fail(
    'limit_reached',
    `The daily limit of ${limit} of this API key is reached. It resets at ${new Date(day.endMs).toISOString()}.`,
    { retryAfterS: Math.max(1, Math.ceil((day.endMs - nowMs) / 1000)), headers: limitHeaders(day) },
  )
}
