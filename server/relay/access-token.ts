import type { Account, Accounts } from '../accounts/accounts.ts'
import type { Renewals } from '../accounts/oauth-renewal.ts'
import type { AttemptResult, CallResult, Exchange } from './exchange.ts'

/** One upstream call, as failover makes it. */
export type CallOnce = (exchange: Exchange, account: Account) => Promise<CallResult>

/**
 * Access tokens that end: one attempt at an account renews its token when it ends, and once more when the upstream does not
 * take it; then the same account is called once again.
 */
export function createTokenKeeper(parts: {
  accounts: Pick<Accounts, 'byId'>
  renew: Renewals['renew']
  /** False for an account whose upstream call never ends as `unauthorized`. */
  renews: (account: Account) => boolean
  now: () => number
  callOnce: CallOnce
}) {
  const { accounts, callOnce } = parts

  /** Null: the account has a fresh access token. A refresh goes on when its client leaves. */
  async function refused(exchange: Exchange, account: Account, used: string): Promise<AttemptResult | null> {
    const renewal = await parts.renew(account, used)
    if (renewal.kind === 'renewed') return null
    const { reason } = renewal
    const isOver = renewal.kind === 'refused'
    return {
      kind: 'next',
      errorType: 'token_not_renewed',
      // Nothing was sent: outside the retry budget, as a connection that did not come about.
      connectPhase: true,
      misconfigured: isOver,
      event: isOver
        ? { kind: 'login_needed', reason }
        : { kind: 'failed', reason, fault: { cause: 'token_not_renewed', place: '' } },
      cause: { by: 'request', requestId: exchange.id.text, evidence: null },
      sameAs: '',
      passIfLast: false,
      refusal: null,
    }
  }

  async function renewing(exchange: Exchange, chosen: Account): Promise<AttemptResult> {
    let account = chosen
    const nowMs = parts.now()
    if (nowMs >= account.staleAtMs) {
      const failure = await refused(exchange, account, account.secret)
      if (failure) return failure
      account = accounts.byId(account.id) ?? account
    } else if (nowMs >= account.dueAtMs) void parts.renew(account, account.secret)
    const used = account.secret
    const result = await callOnce(exchange, account)
    if (result.kind !== 'unauthorized') return result
    exchange.renewedId = account.id
    const failure = await refused(exchange, account, used)
    if (failure) return failure
    return renewed(await callOnce(exchange, accounts.byId(account.id) ?? account))
  }

  return (exchange: Exchange, account: Account): Promise<AttemptResult> =>
    // A secret that is no token is called with, and that is all: the path of nearly every request.
    parts.renews(account) ? renewing(exchange, account) : (callOnce(exchange, account) as Promise<AttemptResult>)
}

function renewed(result: CallResult): AttemptResult {
  if (result.kind === 'unauthorized') throw new Error('an access token was to be renewed twice for one request')
  return result
}
