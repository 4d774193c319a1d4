import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Renewals } from '../../accounts/login/oauth-renewal.ts'
import type { AttemptResult, CallResult, Exchange } from '../request/exchange.ts'

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
  /** Ends the waits of requests; nobody waits once the process stops. */
  const waits = new Set<() => void>()
  let stopping = false

  /** Null: the process stops, and whoever waits is not to be held. The refresh itself goes on. */
  function renewal(account: Account, used: string): Promise<Awaited<ReturnType<Renewals['renew']>> | null> {
    if (stopping) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      const giveUp = () => resolve(null)
      waits.add(giveUp)
      parts
        .renew(account, used)
        .then(resolve, reject)
        .finally(() => waits.delete(giveUp))
    })
  }

  /** Null: nothing stands in the way of a call. A refresh goes on when its client leaves. */
  async function refused(exchange: Exchange, account: Account, used: string): Promise<AttemptResult | null> {
    const renewed = await renewal(account, used)
    if (renewed === null || renewed.kind === 'renewed') return null
    const { reason } = renewed
    const isOver = renewed.kind === 'refused'
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
    return notAgain(await callOnce(exchange, accounts.byId(account.id) ?? account))
  }

  return {
    withFreshToken: (exchange: Exchange, account: Account): Promise<AttemptResult> =>
      // A secret that is no token is called with, and that is all: the path of nearly every request.
      parts.renews(account) ? renewing(exchange, account) : (callOnce(exchange, account) as Promise<AttemptResult>),
    /** Requests that wait for a renewal go on without it: the process stops, and `callOnce` tells them so. */
    cutOff(): void {
      stopping = true
      for (const giveUp of waits) giveUp()
    },
  }
}

function notAgain(result: CallResult): AttemptResult {
  if (result.kind === 'unauthorized') throw new Error('an access token was to be renewed twice for one request')
  return result
}
