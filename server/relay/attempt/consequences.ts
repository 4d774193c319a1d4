import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import { isEligible, isHalfOpen } from '../../accounts/state/eligibility.ts'
import { retractionOf } from '../../accounts/state/reduce.ts'
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import type { AttemptResult, Exchange } from '../request/exchange.ts'
import { serves } from '../routing/schedule.ts'

type Next = Extract<AttemptResult, { kind: 'next' }>

/** Failures of one request that could be its own fault, and whether that has come out. */
export interface Doubts {
  failed: { account: Account; event: AccountEvent; cause: Cause; sameAs: string; takenBackBy: AccountEvent | null }[]
  /** Two accounts said the same: what they said is held against the request until another one answers it. */
  isRequests: boolean
}

/** What a request's attempts do to the accounts. */
export function createConsequences({ accounts, now }: { accounts: Accounts; now: () => number }) {
  const causeOf = (exchange: Exchange): Cause => ({ by: 'request', requestId: exchange.id.text, evidence: null })

  /** The last account that could serve is not ejected before a trial. Errors 403 count by the key they are said to. */
  function completed(exchange: Exchange, account: Account, event: AccountEvent): AccountEvent {
    if (event.kind === 'forbidden') return { ...event, keyId: exchange.key.id }
    if (event.kind !== 'failed') return event
    const atMs = now()
    for (const other of accounts.ofGroup(exchange.key.groupId)) {
      if (other.id === account.id || !serves(other, exchange.model)) continue
      if (isEligible(other.live.state, exchange.model, atMs)) return event
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
    /** An attempt begins, in the turn that chose its account: no other request can have taken the trial. True: this is it. */
    begun(exchange: Exchange, account: Account): boolean {
      const isTrial = isHalfOpen(account.live.state, now())
      if (isTrial) accounts.report(account, { kind: 'half_open_request' }, causeOf(exchange))
      return isTrial
    },

    /** A trial has ended. One that brought no verdict leaves it to the next request; a verdict is reported in this very turn. */
    trialEnded(exchange: Exchange, account: Account): void {
      setImmediate(() => accounts.report(account, { kind: 'half_open_released' }, causeOf(exchange)))
    },

    /** An account failed the request, and another one may be tried. Returns what is to be said of the next ones. */
    failed(exchange: Exchange, account: Account, result: Next, doubts: Doubts | null): Doubts | null {
      if (!result.event) return doubts
      const event = completed(exchange, account, result.event)
      const { cause, sameAs } = result
      const before = doubts?.failed[0]
      if (sameAs === '' || (before && before.sameAs !== sameAs)) {
        accounts.report(account, event, cause)
        return doubts
      }
      if (!doubts || !before) {
        const takenBackBy = reported(account, event, cause)
        return { failed: [{ account, event, cause, sameAs, takenBackBy }], isRequests: false }
      }
      // Not by a rule any more: the request itself brings it about.
      if (!doubts.isRequests && before.takenBackBy)
        accounts.report(before.account, before.takenBackBy, { ...before.cause, by: 'request' })
      return { failed: [...doubts.failed, { ...before, account, event, cause }], isRequests: true }
    },

    /** An account answered the request after others had failed it: they were at fault after all. */
    answered(doubts: Doubts): void {
      if (!doubts.isRequests) return
      for (const { account, event, cause } of doubts.failed) accounts.report(account, event, cause)
    },
  }
}
