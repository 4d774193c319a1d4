import { type Failure, fail } from '../../errors.ts'
import type { ApiKey } from '../../keys/keys.ts'
import { claimsOf, type LimitClaim, parseCounter } from '../../keys/limits.ts'
import { formatUsd } from '../../money/usd.ts'
import type { Counters } from '../../store/counters.ts'
import type { ZoneDay } from '../../zone-days.ts'
import { usageHeaders } from './usage-headers.ts'

/** What a request holds of its key's budgets until it is settled. */
export interface Ticket {
  claims: readonly LimitClaim[]
  heldNano: number
  /** What a good answer tells the client of these budgets. */
  headers: readonly string[]
}

export interface AdmitParts {
  counters: Counters
  dayAt: (atMs: number) => ZoneDay
  /** Nano-USD the ledger knows of a counter, unsettled rows included. */
  spentNano: (counter: string) => Promise<number>
}

/** A key without limits needs no ticket, and no counter is asked. */
export const freeTicket: Ticket = Object.freeze({ claims: [], heldNano: 0, headers: [] })

/**
 * Holds `amountNano` on the key's budgets, or says which one is used up. A key is let in while spent + held is below its
 * limit, so that the most it can pass it by is one hold (and what a request costs above its hold).
 */
export async function holdBudget(
  parts: AdmitParts,
  key: ApiKey,
  requestId: string,
  amountNano: number,
  nowMs: number,
): Promise<Ticket | Failure> {
  const day = parts.dayAt(nowMs)
  const claims = claimsOf(key.id, key, day)
  if (claims.length === 0) return freeTicket
  for (let tries = 0; tries < 3; tries++) {
    const result = await parts.counters.hold(requestId, claims, amountNano)
    if (result.kind === 'held')
      return { claims, heldNano: amountNano, headers: usageHeaders(claims, result.spentNano, day) }
    if (result.kind === 'unknown') {
      for (const claim of claims) {
        if (result.counters.includes(claim.counter)) {
          await parts.counters.seed(claim.counter, await parts.spentNano(claim.counter), claim.expiresAtMs)
        }
      }
      continue
    }
    const isDaily = parseCounter(result.counter).day !== null
    const limitNano = claims.find((claim) => claim.counter === result.counter)?.limitNano ?? 0
    if (result.kind === 'over') return limitReached(isDaily, limitNano, day, nowMs)
    return fail(
      'limit_held',
      `What is left of this key's ${isDaily ? 'daily' : 'total'} limit of $${formatUsd(limitNano)} is held by requests in flight. Try again in a moment.`,
      { retryAfterS: 2 },
    )
  }
  return fail('ledger_unavailable', 'The limits of this key cannot be read at the moment.', { retryAfterS: 2 })
}

/** As Claude Code shows a cap: 429 billing_error, no retry, the reset named (claude-code-signin.md, "A cap the client can show"). */
function limitReached(isDaily: boolean, limitNano: number, day: ZoneDay, nowMs: number): Failure {
  const limit = `$${formatUsd(limitNano)}`
  if (!isDaily) {
    return fail(
      'limit_reached',
      `The total limit of ${limit} of this API key is reached. Ask the administrator of this relay to raise it.`,
    )
  }
  const resetS = Math.ceil(day.endMs / 1000)
  return fail(
    'limit_reached',
    `The daily limit of ${limit} of this API key is reached. It resets at ${new Date(day.endMs).toISOString()}.`,
    {
      retryAfterS: Math.max(1, Math.ceil((day.endMs - nowMs) / 1000)),
      headers: [
        'anthropic-ratelimit-unified-status',
        'rejected',
        'anthropic-ratelimit-unified-reset',
        String(resetS),
        'anthropic-ratelimit-unified-overage-reset',
        String(resetS),
        'anthropic-ratelimit-unified-overage-utilization',
        '1',
        'anthropic-ratelimit-unified-overage-surpassed-threshold',
        '1',
        'anthropic-ratelimit-unified-overage-period',
        'daily',
        'anthropic-ratelimit-unified-overage-disabled-reason',
        'org_spend_cap_reached',
      ],
    },
  )
}
