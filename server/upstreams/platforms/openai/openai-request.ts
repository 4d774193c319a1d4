import type { Account } from '../../../accounts/account.ts'
import type { ClientRequest, ProbeRequest, RequestHead } from '../../platform.ts'
import { credentialOf } from '../credential-header.ts'

/** The client's request on the account's address, with the account's credential and without compression. */
export function buildOpenaiRequest(account: Account, { path, query, headers }: ClientRequest): RequestHead {
  return {
    method: 'POST',
    path: openaiPath(account, path) + query,
    headers: [...headers, 'accept-encoding', 'identity', ...credentialOf(account)],
  }
}

/** A probe with a JSON body at a path of OpenAI's API. */
export function openaiProbe(account: Account, path: string, body: object): ProbeRequest {
  const [name, value] = credentialOf(account)
  return {
    method: 'POST',
    path: openaiPath(account, path),
    headers: { [name]: value, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  }
}

/**
 * `path` begins with /v1. Base URLs of vendors hold a version of their own (`/api/paas/v4`, `/v1beta/openai`), or none where the
 * address was given without its `/v1`.
 */
function openaiPath({ basePath }: Pick<Account, 'basePath'>, path: string): string {
  return /\/v\d\w*(\/|$)/.test(basePath) ? `${basePath}${path.slice('/v1'.length)}` : `${basePath}${path}`
}
