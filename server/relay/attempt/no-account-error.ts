// The error for a client when no account served its request: the reason and when to try again. It names no upstream.
import type { Account } from '../../accounts/account.ts'
import { type Failure, fail } from '../../errors.ts'
import { shown } from '../request/inspect.ts'
import type { RelayRequest } from '../request/relay-request.ts'
import type { RouteCriteria } from '../routing/route-criteria.ts'
import { soonestReturnMs, waitsForSlot } from '../routing/schedule.ts'
import type { FailedAttempt, UnfitAttempt } from './attempt-result.ts'

/** Retry time for a request that got no slot: by then some requests before it have ended. */
const busyRetryS = 5

export function noAccountError(
  { id, model, metered }: RelayRequest,
  group: readonly Account[],
  criteria: RouteCriteria,
  {
    last,
    isMisconfigured,
    unfit,
  }: { last: FailedAttempt | null; isMisconfigured: boolean; unfit: UnfitAttempt | null },
): Failure {
  const members = group.filter(criteria.fits)
  if (!metered && last?.response) return fail('count_unsupported', 'No upstream of this key counts tokens.')
  if (waitsForSlot(members, criteria)) {
    return fail(
      'accounts_busy',
      `All upstream accounts for this request are busy; try again shortly. Request id: ${id.text}.`,
      { retryAfterS: busyRetryS },
    )
  }
  const soonest = soonestReturnMs(members, criteria)
  // An account that was not asked may serve the next request.
  const notAsked = soonestReturnMs(
    members.filter((account) => !criteria.tried.has(account.id)),
    criteria,
  )
  if (soonest === undefined) {
    if (unfit) return fail('request_invalid', `${unfit.message}.`)
    return fail(
      'accounts_missing',
      `No account of this key's group serves the model ${shown(model)}. Ask the administrator of this relay. Request id: ${id.text}.`,
    )
  }
  // Only a person can bring the accounts back: a fault of configuration, whether it was seen now or earlier.
  if (soonest === null || (last !== null && isMisconfigured && (notAsked ?? null) === null)) {
    return fail(
      'upstream_misconfigured',
      `No upstream account can be used as it is set up. Ask the administrator of this relay. Request id: ${id.text}.`,
    )
  }
  const code = last === null ? 'accounts_not_ready' : 'upstream_failed'
  const why = last === null ? 'All upstream accounts for this request are unavailable' : 'The upstream accounts failed'
  const waitMs = Math.max(0, soonest - criteria.nowMs)
  const when = waitMs > 0 ? `until ${new Date(soonest).toISOString()}` : 'try again shortly'
  const message = `${why}, ${when}. Request id: ${id.text}.`
  if (waitMs > 60_000) {
    // Not overloaded_error: Claude Code up to 2.1.112 retries that word whatever x-should-retry says, asleep for retry-after.
    return { ...fail(code, message, { retryAfterS: 60, shouldRetry: false }), type: 'api_error' }
  }
  return fail(code, message, { retryAfterS: Math.max(1, waitMs / 1000) })
}

/** Every upstream that was asked takes only smaller requests, and says so in no words of its own. */
export const tooLargeForAll = ({ id, body }: RelayRequest): Failure =>
  fail(
    'upstream_too_large',
    `The request of ${body.length} bytes is larger than this relay's upstream accepts. Request id: ${id.text}.`,
  )

/** The process stops: nobody is to blame, and no other account is tried. */
export const restarting = (): Failure =>
  fail('stopping', 'The relay is restarting. Try again in a moment.', { retryAfterS: 2 })
