// Renews an account's access token around an attempt: when it has ended, and once more when the upstream does not accept it.
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Renewals } from '../../accounts/login/oauth-renewal.ts'
import type { RunningRequest } from '../request/relay-request.ts'
import type { AttemptResult, CallResult } from './attempt-result.ts'

/** One attempt. `mayRenew`: a refused access token is worth a renewal. */
type Call = (account: Account, mayRenew: boolean) => Promise<CallResult>

export interface TokenRenewalParts {
  accounts: Pick<Accounts, 'byId'>
  renew: Renewals['renew']
  renewsTokens: (account: Account) => boolean
  now: () => number
}

export function createTokenRenewal(parts: TokenRenewalParts) {
  const { accounts } = parts
  /** Ends the waits of requests; nobody waits once the process stops. */
  const waits = new Set<() => void>()
  let stopping = false

  /** null: the process stops, and nobody waits any longer. The refresh itself goes on. */
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

  /** Renews the token where that is due. null: the attempt may start. A renewal continues after its client has left. */
  async function failedRenewal(
    { request }: RunningRequest,
    account: Account,
    used: string,
  ): Promise<AttemptResult | null> {
    const renewed = await renewal(account, used)
    if (renewed === null || renewed.kind === 'renewed') return null
    const { reason } = renewed
    const isOver = renewed.kind === 'refused'
    return {
      kind: 'next',
      errorType: 'token_not_renewed',
      // Nothing was sent, so this does not use the failover budget. A failed connection does not use it either.
      connectPhase: true,
      misconfigured: isOver,
      event: isOver
        ? { kind: 'login_needed', reason }
        : { kind: 'failed', reason, fault: { cause: 'token_not_renewed', place: '' } },
      cause: { by: 'request', requestId: request.id.text, evidence: null },
      sameAs: '',
      passIfLast: false,
      ifServedElsewhere: false,
      tooLarge: false,
      refusal: '',
      response: null,
    }
  }

  async function withRenewal(running: RunningRequest, chosen: Account, call: Call): Promise<AttemptResult> {
    let account = chosen
    const nowMs = parts.now()
    if (nowMs >= account.staleAtMs) {
      const failure = await failedRenewal(running, account, account.secret)
      // It has not ended yet: it may serve this request.
      if (failure && parts.now() >= account.expiresAtMs) return failure
      account = accounts.byId(account.id) ?? account
    } else if (nowMs >= account.dueAtMs) void parts.renew(account, account.secret)
    const used = account.secret
    const result = await call(account, true)
    if (result.kind !== 'unauthorized') return result
    const failure = await failedRenewal(running, account, used)
    return failure ?? finalOf(await call(accounts.byId(account.id) ?? account, false))
  }

  return {
    async withFreshToken(running: RunningRequest, account: Account, call: Call): Promise<AttemptResult> {
      return parts.renewsTokens(account) ? withRenewal(running, account, call) : finalOf(await call(account, false))
    },
    /** The process stops: ends all waits for renewals. The next step sends these clients the restart error. */
    cutOff(): void {
      stopping = true
      for (const giveUp of waits) giveUp()
    },
  }
}

function finalOf(result: CallResult): AttemptResult {
  if (result.kind === 'unauthorized') throw new Error('an access token was to be renewed twice for one request')
  return result
}
