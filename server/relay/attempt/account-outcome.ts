// What a request's attempts do to the state of its accounts.
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import { isEligible, isHalfOpen } from '../../accounts/state/eligibility.ts'
import { retractionOf } from '../../accounts/state/reduce.ts'
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import type { RelayRequest } from '../request/relay-request.ts'
import { serves } from '../routing/schedule.ts'
import type { FailedAttempt } from './attempt-result.ts'

interface Failed {
  account: Account
  event: AccountEvent
  cause: Cause
}

/** Failures of one request that could be its own fault. */
export interface Doubts {
  /** They count once another account has served the request. */
  unreported: Failed[]
  /** The first doubtful failure. It was reported to its account; the event `retractedBy` undoes the report. */
  first: (Failed & { sameAs: string; retractedBy: AccountEvent | null }) | null
  /** Two accounts gave the same error: the request is at fault, unless another account serves it. */
  isRequests: boolean
}

const noDoubts: Doubts = { unreported: [], first: null, isRequests: false }

export function createAccountOutcome({ accounts, now }: { accounts: Accounts; now: () => number }) {
  const causeOf = (request: RelayRequest): Cause => ({ by: 'request', requestId: request.id.text, evidence: null })

  /** Adds `isLast` to a failure when no other account can serve the request, and to a 403 the id of the API key that got it. */
  function completed(request: RelayRequest, account: Account, event: AccountEvent): AccountEvent {
    if (event.kind === 'forbidden') return { ...event, keyId: request.key.id }
    if (event.kind !== 'failed') return event
    const atMs = now()
    for (const other of accounts.ofGroup(request.key.groupId)) {
      if (other.id === account.id || !serves(other, request.model)) continue
      if (isEligible(other.live.state, request.model, atMs)) return event
    }
    return { ...event, isLast: true }
  }

  /** Reports a failure; returns what would take it back, null where it changed nothing. */
  function reported(account: Account, event: AccountEvent, cause: Cause): AccountEvent | null {
    const before = account.live.state
    accounts.report(account, event, cause)
    const after = account.live.state
    if (event.kind === 'failed') return { kind: 'retracted' }
    const model = 'model' in event && before.models !== after.models ? event.model : undefined
    const state = retractionOf(before, after)
    if (model === undefined && state === null) return null
    return { kind: 'retracted', ...(model !== undefined && { model }), ...(state && { state }) }
  }

  return {
    /** Called when an attempt starts, in the same event-loop turn that chose its account. True: it is the account's half-open request. */
    begun(request: RelayRequest, account: Account): boolean {
      const isTrial = isHalfOpen(account.live.state, now())
      if (isTrial) accounts.report(account, { kind: 'half_open_request' }, causeOf(request))
      return isTrial
    },

    /** The half-open request has ended. Its result is reported in this turn; if it proved nothing, the next request is half-open. */
    trialEnded(request: RelayRequest, account: Account): void {
      setImmediate(() => accounts.report(account, { kind: 'half_open_released' }, causeOf(request)))
    },

    /** An account failed the request, and another one may be tried. Returns the doubts with which the next one begins. */
    failed(request: RelayRequest, account: Account, result: FailedAttempt, doubts: Doubts | null): Doubts | null {
      if (!result.event) return doubts
      const event = completed(request, account, result.event)
      const { cause, sameAs } = result
      const failure = { account, event, cause }
      const { unreported, first, isRequests } = doubts ?? noDoubts
      if (result.ifServedElsewhere) return { unreported: [...unreported, failure], first, isRequests }
      if (sameAs === '' || (first && first.sameAs !== sameAs)) {
        accounts.report(account, event, cause)
        return doubts
      }
      if (!first) {
        const retractedBy = reported(account, event, cause)
        return { unreported, first: { ...failure, sameAs, retractedBy }, isRequests }
      }
      if (isRequests) return { unreported: [...unreported, failure], first, isRequests }
      // The cause is now the request, not a rule.
      if (first.retractedBy) accounts.report(first.account, first.retractedBy, { ...first.cause, by: 'request' })
      return { unreported: [...unreported, first, failure], first, isRequests: true }
    },

    /** An account served the request after others had failed it: they were at fault after all. */
    answered(doubts: Doubts): void {
      for (const { account, event, cause } of doubts.unreported) accounts.report(account, event, cause)
    },
  }
}
