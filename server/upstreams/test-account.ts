import type { Account } from '../accounts/accounts.ts'
import type { Dispatchers } from './dispatchers.ts'
import type { Upstream } from './upstream.ts'

/** How a try of an account went. */
export interface AccountTrial {
  ok: boolean
  latencyMs: number
  /** Upstream's status; 0 when there was no answer. */
  status: number
  /** For people; of the upstream only what names the error, never its text. */
  message: string
}

const patienceMs = 30_000

/** Asks an account for one token, as its test button does. Changes no state, makes no row; the upstream may charge a token. */
export function createAccountTest(parts: {
  dispatchers: Dispatchers
  upstreams: Record<Account['platform'], Upstream | undefined>
  now: () => number
}) {
  return async (account: Account, model: string): Promise<AccountTrial> => {
    const upstream = parts.upstreams[account.platform]
    if (!upstream) return { ok: false, latencyMs: 0, status: 0, message: `Nothing speaks ${account.platform} yet.` }
    const startedMs = parts.now()
    const credential =
      account.authHeader === 'bearer' ? { authorization: `Bearer ${account.secret}` } : { 'x-api-key': account.secret }
    const body = { model: account.mapping.map(model), max_tokens: 1, messages: [{ role: 'user', content: 'ping' }] }
    try {
      const answer = await parts.dispatchers.for(account.origin, account.proxy).request({
        path: upstream.address(account, '/v1/messages', ''),
        method: 'POST',
        headers: { ...credential, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
        body: JSON.stringify(body),
        headersTimeout: patienceMs,
        bodyTimeout: patienceMs,
      })
      const bytes = Buffer.from(await answer.body.arrayBuffer())
      const latencyMs = parts.now() - startedMs
      if (answer.statusCode === 200) return { ok: true, latencyMs, status: 200, message: `${body.model} answered.` }
      const headers = new Map(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
      const verdict = upstream.judge({ status: answer.statusCode, headers, body: bytes }, model, parts.now())
      const reason = verdict.event && 'reason' in verdict.event ? verdict.event.reason : verdict.errorType
      return { ok: false, latencyMs, status: answer.statusCode, message: reason }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'failed'
      // Our own connect failures name host and remedy; others could carry anything.
      const isOurs = code.startsWith('UPSTREAM_') && error instanceof Error
      return { ok: false, latencyMs: parts.now() - startedMs, status: 0, message: isOurs ? error.message : code }
    }
  }
}
