// The errors for a client when a limit of its key refuses its request (claude-code-signin.md, "A cap the client can show").
import { type Failure, fail } from '../../errors.ts'
import type { LimitClaim, LimitUnit } from '../../keys/limits.ts'
import { formatUsd } from '../../money/usd.ts'
import { limitHeaders } from './usage-headers.ts'

const whose = { key: 'of this API key', user: "of this API key's owner", group: "of this API key's group" } as const

const nameOf = ({ rule, limitNano, subject, rollingHours }: LimitClaim): string => {
  const what = rule === 'rolling' ? `limit for ${rollingHours} hours` : `${rule} limit`
  return `${what} of $${formatUsd(limitNano)} ${whose[subject]}`
}

/** A cost limit is reached by what is settled. */
export function limitReached(
  claim: LimitClaim,
  resetMs: number | null,
  nowMs: number,
  keyPage: string | null,
): Failure {
  const see = keyPage === null ? '' : ` See ${keyPage}.`
  const name = nameOf(claim)
  if (resetMs === null)
    return fail('limit_reached', `The ${name} is reached. Ask the administrator of this relay to raise it.${see}`)
  return fail('limit_reached', `The ${name} is reached. It resets at ${new Date(resetMs).toISOString()}.${see}`, {
    retryAfterS: Math.max(1, Math.ceil((resetMs - nowMs) / 1000)),
    headers: limitHeaders(claim.rule, resetMs),
  })
}

/** What is left of a cost limit is reserved by running requests, and the wait for it was too long. */
export const limitHeld = (claim: LimitClaim): Failure =>
  fail('limit_held', `What is left of the ${nameOf(claim)} is held by requests in flight. Try again in a moment.`, {
    retryAfterS: 2,
  })

/** A limit of speed, and the wait for it was too long. */
export function rateReached(unit: LimitUnit, limit: number): Failure {
  if (unit === 'running')
    return fail('concurrency_reached', `This API key may have ${limit} requests at once. Try again in a moment.`, {
      retryAfterS: 2,
    })
  return fail('rate_reached', `This API key may use ${limit} ${unit} a minute. Try again in a moment.`, {
    retryAfterS: 10,
  })
}

export const limitsUnreadable = (retryAfterS: number): Failure =>
  fail('ledger_unavailable', 'The limits of this key cannot be read at the moment.', { retryAfterS })

/** A running request has used up a limit, and this deployment stops it. */
export const limitPassed = 'A cost limit of this API key was reached while this response was written.'
