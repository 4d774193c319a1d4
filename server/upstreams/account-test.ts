import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import type { Renewals } from '../accounts/login/oauth-renewal.ts'
import type { Fault } from '../accounts/state/state.ts'
import type { Upstream } from './platform.ts'
import { look, messageProbe, refusalOf } from './probe.ts'
import type { Dispatchers } from './transport/dispatchers.ts'

/** How a try of an account went. */
export interface AccountTrial {
  ok: boolean
  latencyMs: number
  /** Upstream's status; 0 when there was no answer. */
  status: number
  /** For people; of the upstream only what names the error, never its text. */
  message: string
  /** Why no answer came; null when one did, and where the message alone tells. */
  fault: Fault | null
}

const patienceMs = 30_000

/** Asks an account for one token, as its test button does. Changes no state, makes no row; the upstream may charge a token. */
export function createAccountTest(parts: {
  dispatchers: Dispatchers
  upstreams: Record<Account['platform'], Upstream | undefined>
  accounts: Pick<Accounts, 'byId'>
  gauges: Pick<Gauges, 'note'>
  renew: Renewals['renew']
  now: () => number
}) {
  return async (tested: Account, model: string): Promise<AccountTrial> => {
    const upstream = parts.upstreams[tested.platform]
    if (!upstream) return notTried(`Nothing speaks ${tested.platform} yet.`, null)
    let account = tested
    if (parts.now() >= account.staleAtMs) {
      const renewal = await parts.renew(account, account.secret)
      if (renewal.kind !== 'renewed') return notTried(renewal.reason, { cause: 'token_not_renewed', place: '' })
      account = parts.accounts.byId(account.id) ?? account
    }
    const request = messageProbe(upstream, account, model)
    const answer = await look(parts.dispatchers, { origin: account.origin, proxy: account.proxy, request }, patienceMs)
    const { status, durationMs: latencyMs } = answer
    parts.gauges.note(account.id, upstream.limits?.ofHeaders(new Map(answer.headers)) ?? [])
    if (status === 0) return { ok: false, latencyMs, status, message: answer.problem, fault: answer.fault }
    if (status === 200)
      return { ok: true, latencyMs, status, message: `${account.mapping.map(model)} answered.`, fault: null }
    const verdict = upstream.judge(refusalOf(answer, account.secret), model, parts.now())
    const reason = verdict.event && 'reason' in verdict.event ? verdict.event.reason : verdict.errorType
    return { ok: false, latencyMs, status, message: reason, fault: null }
  }
}

const notTried = (message: string, fault: Fault | null): AccountTrial => ({
  ok: false,
  latencyMs: 0,
  status: 0,
  message,
  fault,
})
