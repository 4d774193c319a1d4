import type { Account } from '../accounts/account.ts'
import type { Fault } from '../accounts/state/state.ts'
import type { ErrorResponse } from './classification.ts'
import type { ProbeRequest } from './platform.ts'
import { bytesWithoutSecret } from './quoted-secret.ts'
import { codeOfError, explainFailure } from './transport/failure-cause.ts'
import type { Target } from './transport/target.ts'
import type { Transport } from './transport/transport.ts'
import { askWhole } from './transport/whole-response.ts'

/** What came back. `status` 0: nothing did, and `problem` says why. */
export interface ProbeResponse {
  status: number
  /** Names in lower case. */
  headers: [string, string][]
  body: Uint8Array
  problem: string
  /** With a problem: the same for machines. */
  fault: Fault | null
  durationMs: number
}

/** More of a response than this says nothing more about the account. */
const maxBytes = 256 * 1024

/** The same question with the account's own headers. */
export function withOwnHeaders({ extraHeaders }: Pick<Account, 'extraHeaders'>, request: ProbeRequest): ProbeRequest {
  const headers = { ...request.headers }
  for (let i = 0; i < extraHeaders.length; i += 2) headers[extraHeaders[i]!] = extraHeaders[i + 1]!
  return { ...request, headers }
}

/** Asks; never throws. Of a failure what happened where, and its code. */
export async function look(
  transport: Transport,
  target: Target & { request: ProbeRequest },
  patienceMs: number,
): Promise<ProbeResponse> {
  const startedMs = performance.now()
  const took = () => Math.round(performance.now() - startedMs)
  try {
    const { status, headers, body } = await askWhole(transport, target, target.request, {
      timeoutMs: patienceMs,
      maxBytes,
    })
    return { status, headers, body, problem: '', fault: null, durationMs: took() }
  } catch (error) {
    const isLate = codeOfError(error) === 'TimeoutError'
    const { cause, reason, place } = explainFailure(error, target, isLate ? patienceMs : undefined)
    const fault = { cause, place }
    return { status: 0, headers: [], body: Buffer.alloc(0), problem: reason, fault, durationMs: took() }
  }
}

/** The response as the classifier takes it, without the secret that the account was opened with. */
export function errorResponseOf({ status, headers, body }: ProbeResponse, secret: string): ErrorResponse {
  return { status, headers: new Map(headers), body: bytesWithoutSecret(Buffer.from(body), secret) }
}
