import type { Account } from '../accounts/account.ts'
import type { Fault } from '../accounts/state/state.ts'
import type { Upstream, UpstreamRefusal } from './platform.ts'
import { bytesWithoutSecret } from './quoted-secret.ts'
import type { Dispatchers } from './transport/dispatchers.ts'
import { codeOfError, explainFailure } from './transport/failure-cause.ts'

/** One question to an account's upstream: made where the secrets are, sent by whoever has the network. */
export interface ProbeRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body: string | null
}

/** What came back. `status` 0: nothing did, and `problem` says why. */
export interface ProbeAnswer {
  status: number
  /** Names in lower case. */
  headers: [string, string][]
  body: Uint8Array
  problem: string
  /** With a problem: the same for machines. */
  fault: Fault | null
  durationMs: number
}

/** A message of one token: the smallest thing that tells whether an account answers. */
export function messageProbe(upstream: Upstream, account: Account, model: string): ProbeRequest {
  const credential: Record<string, string> =
    account.authHeader === 'bearer' ? { authorization: `Bearer ${account.secret}` } : { 'x-api-key': account.secret }
  return {
    method: 'POST',
    path: upstream.address(account, '/v1/messages', ''),
    headers: {
      ...credential,
      ...betaOf(upstream),
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
    },
    body: JSON.stringify({
      model: account.mapping.map(model),
      max_tokens: 1,
      messages: [{ role: 'user', content: 'ping' }],
    }),
  }
}

const betaOf = ({ beta }: Upstream): Record<string, string> => (beta === undefined ? {} : { 'anthropic-beta': beta })

/** More of an answer than this says nothing more about the account. */
const mostBytes = 256 * 1024

/** Asks; never throws. Of a failure what happened where, and its code. */
export async function look(
  dispatchers: Dispatchers,
  target: { origin: string; proxy: string | null; request: ProbeRequest },
  patienceMs: number,
): Promise<ProbeAnswer> {
  const startedMs = performance.now()
  const took = () => Math.round(performance.now() - startedMs)
  try {
    const answer = await dispatchers.for(target.origin, target.proxy).request({
      ...target.request,
      headersTimeout: patienceMs,
      bodyTimeout: patienceMs,
      signal: AbortSignal.timeout(patienceMs),
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes > mostBytes) break
    }
    return {
      status: answer.statusCode,
      headers: Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
      body: Buffer.concat(chunks),
      problem: '',
      fault: null,
      durationMs: took(),
    }
  } catch (error) {
    const isLate = codeOfError(error) === 'TimeoutError'
    const { cause, reason, place } = explainFailure(error, target, isLate ? patienceMs : undefined)
    return {
      status: 0,
      headers: [],
      body: Buffer.alloc(0),
      problem: reason,
      fault: { cause, place },
      durationMs: took(),
    }
  }
}

/** The answer as `judge` takes it, without the secret that the account was opened with. */
export function refusalOf({ status, headers, body }: ProbeAnswer, secret: string): UpstreamRefusal {
  return { status, headers: new Map(headers), body: bytesWithoutSecret(Buffer.from(body), secret) }
}
