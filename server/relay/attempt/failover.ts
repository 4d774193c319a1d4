// Goes from account to account until one serves the request: the loop over its candidates.
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import { isEligible } from '../../accounts/state/eligibility.ts'
import { readyState } from '../../accounts/state/state.ts'
import { type Failure, fail } from '../../errors.ts'
import { sendFailure } from '../../http/send-failure.ts'
import type { RequestEnd, RunningRequest } from '../request/relay-request.ts'
import type { RequestCriteria } from '../routing/route-criteria.ts'
import type { Slot } from '../routing/slot.ts'
import type { Slots } from '../routing/slots.ts'
import { createTokenRenewal, type TokenRenewalParts } from './access-token.ts'
import { createAccountOutcome, type Doubts } from './account-outcome.ts'
import type { AttemptResult, FailedAttempt, PassableError, UnfitAttempt } from './attempt-result.ts'
import { type AttemptRunnerParts, createAttemptRunner } from './attempt-runner.ts'
import { createFailoverBudget } from './failover-budget.ts'
import { noAccountError, restarting, tooLargeForAll } from './no-account-error.ts'

export interface FailoverParts extends Omit<AttemptRunnerParts, 'outcome'>, Omit<TokenRenewalParts, 'renewsTokens'> {
  accounts: Accounts
  slots: Slots
  /** The account served the request: its conversation stays there. */
  remember: (running: RunningRequest, criteria: RequestCriteria, account: Account) => void
}

/** Only errors with these statuses may reach a client. All others are about an account. */
const mayPass = ({ status }: PassableError): boolean => [400, 404, 409, 413, 422].includes(status)

/** At most this many accounts are tried after the first. */
const maxFailovers = 2

const clientLeft: RequestEnd = { outcome: 'aborted', httpStatus: 0, errorType: 'client_left' }

export function createFailover(parts: FailoverParts) {
  const { accounts, slots, now } = parts
  const outcome = createAccountOutcome({ accounts, now })
  const runner = createAttemptRunner({ ...parts, outcome })
  const tokens = createTokenRenewal({ ...parts, renewsTokens: runner.renewsTokens })
  const budget = createFailoverBudget()
  let isStopping = false

  /**
   * Tries accounts, that of `first` first; without a first one the request waits for a slot if that is what is missing. What
   * is left at the end goes to the client as an error.
   */
  async function forward(
    running: RunningRequest,
    first: Slot | undefined,
    criteria: RequestCriteria,
  ): Promise<RequestEnd> {
    const { request, client } = running
    let slot: Slot | undefined
    let last: FailedAttempt | null = null
    let isMisconfigured = true
    let isTooLarge = true
    let isRefused = true
    let doubts: Doubts | null = null
    let unfit: UnfitAttempt | null = null
    const ends = budget.begin(request.key.groupId)
    try {
      if (!isStopping) slot = first && mayStill(running, first) ? first : await waitForSlot(running, first, criteria)
      for (let failovers = 0; slot !== undefined; failovers++) {
        const { account }: Slot = slot
        const result = await attempt(running, account, criteria)
        if (result.kind === 'done') {
          if (result.end.outcome !== 'completed') return result.end
          if (doubts) outcome.answered(doubts)
          parts.remember(running, criteria, account)
          return result.end
        }
        if (result.kind === 'unfit') {
          unfit ??= result
          criteria.unfit.add(account.id)
          slot.free()
          failovers--
          slot = slots.take(running, criteria) ?? (await waitForSlot(running, undefined, criteria))
          continue
        }
        if (result.kind === 'caller')
          return client.hasLeft ? clientLeft : passOn(running, result.response, result.errorType)
        running.giveBackFailover?.()
        criteria.tried.add(account.id)
        doubts = outcome.failed(request, account, result, doubts)
        slot.free()
        isMisconfigured &&= result.misconfigured
        isTooLarge &&= result.tooLarge
        isRefused &&= result.refusal !== ''
        last = result
        if (client.hasLeft) return clientLeft
        if (failovers >= maxFailovers) break
        // The first failover is never refused. Where no connection came about, nobody was asked.
        if (failovers > 0 && !result.connectPhase) {
          running.giveBackFailover = budget.take(request.key.groupId)
          if (!running.giveBackFailover) break
        }
        criteria.nowMs = now()
        slot = slots.take(running, criteria) ?? (await waitForSlot(running, undefined, criteria))
      }
    } finally {
      slot?.free()
      running.giveBackFailover?.()
      ends()
    }
    if (client.hasLeft) return clientLeft
    if (last?.response && request.metered && (last.passIfLast || (doubts?.isRequests && mayPass(last.response))))
      return passOn(running, last.response, last.errorType)
    if (last && isTooLarge) return giveUp(running, tooLargeForAll(request))
    if (last && isRefused) return giveUp(running, fail('request_refused', last.refusal))
    if (isStopping && last === null) return giveUp(running, restarting())
    criteria.nowMs = now()
    const members = accounts.ofGroup(request.key.groupId)
    return giveUp(running, noAccountError(request, members, criteria, { last, isMisconfigured, unfit }))
  }

  function attempt(running: RunningRequest, account: Account, criteria: RequestCriteria): Promise<AttemptResult> {
    return tokens.withFreshToken(running, account, async (current, mayRenew) => {
      // No attempt may start after `cutOff`: nothing would end it.
      if (isStopping) return { kind: 'done', end: giveUp(running, restarting()) }
      return runner.run(running, current, criteria, mayRenew)
    })
  }

  /** False when the account chosen has gone meanwhile, or another request's trial has begun there. */
  function mayStill({ request }: RunningRequest, { account }: Slot): boolean {
    const { state } = account.live
    return state === readyState || isEligible(state, request.model, now())
  }

  /** Gives `lost` back and takes another slot: at once, or when the request's turn in the queue has come. */
  async function waitForSlot(running: RunningRequest, lost: Slot | undefined, criteria: RequestCriteria) {
    for (let slot = lost; ; ) {
      criteria.nowMs = now()
      if (slot) {
        slot.free()
        slot = slots.take(running, criteria)
        if (slot) return slot
      }
      slot = await slots.await(running, criteria)
      if (!slot || mayStill(running, slot)) return slot
    }
  }

  function passOn({ client, request }: RunningRequest, response: PassableError, errorType: string): RequestEnd {
    const { status, headers, body } = response
    if (!client.headersSent && !client.destroyed) {
      client.writeHead(status, [...headers, 'content-length', String(body.length), 'x-request-id', request.id.text])
      client.end(body)
    }
    return { outcome: 'failed', httpStatus: status, errorType }
  }

  function giveUp({ client, request }: RunningRequest, failure: Failure): RequestEnd {
    if (client.hasLeft) return clientLeft
    sendFailure(client.req, client, failure, request.id.text, request.format)
    return { outcome: 'failed', httpStatus: failure.status, errorType: failure.code }
  }

  return {
    forward,

    /** Waits for an account; undefined: none takes the request. */
    firstSlot: async (running: RunningRequest, criteria: RequestCriteria): Promise<Slot | undefined> =>
      isStopping ? undefined : waitForSlot(running, undefined, criteria),

    /** Why no account took the request. */
    noAccount({ request }: RunningRequest, criteria: RequestCriteria): Failure {
      criteria.nowMs = now()
      const none = { last: null, isMisconfigured: true, unfit: null }
      return isStopping ? restarting() : noAccountError(request, accounts.ofGroup(request.key.groupId), criteria, none)
    },

    /** Ends every response under way with an error: the process stops. */
    cutOff(): void {
      isStopping = true
      slots.cutOff()
      tokens.cutOff()
      runner.cutOff()
    },
  }
}
