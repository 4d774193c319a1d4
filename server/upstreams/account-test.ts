import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import type { Renewals } from '../accounts/login/oauth-renewal.ts'
import type { Fault } from '../accounts/state/state.ts'
import type { Classifier } from './classify.ts'
import type { Platforms } from './platform.ts'
import { look, withOwnHeaders } from './probe.ts'
import { probeResultOf } from './probe-result.ts'
import { targetOf } from './transport/target.ts'
import type { Transport } from './transport/transport.ts'

/** How a try of an account went. */
export interface AccountTrial {
  ok: boolean
  latencyMs: number
  /** The upstream's status; 0: there was no response. */
  status: number
  /** For people. Of the upstream's error only its type, never its text. */
  message: string
  /** Why no response came; null when one did, and where the message alone says it. */
  fault: Fault | null
}

const patienceMs = 30_000

/** Asks an account for one token, as its test button does. Changes no state, makes no row; the upstream may charge a token. */
export function createAccountTest(parts: {
  transport: Transport
  platforms: Platforms
  classifier: Classifier
  accounts: Pick<Accounts, 'byId'>
  gauges: Pick<Gauges, 'note'>
  renew: Renewals['renew']
  now: () => number
}) {
  return async (tested: Account, model: string): Promise<AccountTrial> => {
    const platform = parts.platforms[tested.platform]
    if (!platform) return notTried(`Nothing speaks ${tested.platform} yet.`, null)
    let account = tested
    if (parts.now() >= account.staleAtMs) {
      const renewal = await parts.renew(account, account.secret)
      if (renewal.kind !== 'renewed') return notTried(renewal.reason, { cause: 'token_not_renewed', place: '' })
      account = parts.accounts.byId(account.id) ?? account
    }
    const request = withOwnHeaders(account, platform.messageProbe(account, model))
    const response = await look(parts.transport, { ...targetOf(account), request }, patienceMs)
    const { status, durationMs: latencyMs } = response
    parts.gauges.note(account.id, platform.limits?.ofHeaders(new Map(response.headers), parts.now()) ?? [])
    if (status === 0) return { ok: false, latencyMs, status, message: response.problem, fault: response.fault }
    const { classifier } = parts
    const result = probeResultOf({ classifier, platform }, account, response, { model, isMessage: true }, parts.now())
    const message = result.isSuccess ? `${account.mapping.map(model)} answered.` : result.reason
    return { ok: result.isSuccess, latencyMs, status, message, fault: null }
  }
}

const notTried = (message: string, fault: Fault | null): AccountTrial => ({
  ok: false,
  latencyMs: 0,
  status: 0,
  message,
  fault,
})
