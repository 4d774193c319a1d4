import type { Account } from '../../accounts/account.ts'
import type { ClientRequest, ProbeRequest, RequestHead } from '../platform.ts'
import { credentialOf } from './credential-header.ts'

const version = '2023-06-01'
/** `tags` of a request's body need one of these betas. */
const tagsBeta = 'experimental-claude-tag-'

/** The client's request on the account's origin: its own headers, the account's credential, no compression. `beta`: one that the platform needs. */
export function buildAnthropicRequest(account: Account, request: ClientRequest, beta?: string): RequestHead {
  const headers = request.dropTags ? withoutTagsBeta(request.headers) : [...request.headers]
  if (beta !== undefined) addBeta(headers, beta)
  if (!headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'anthropic-version'))
    headers.push('anthropic-version', version)
  headers.push('accept-encoding', 'identity', ...credentialOf(account))
  return { method: 'POST', path: pathOf(account, request.path, request.query), headers }
}

/** A message of one token: the smallest request that shows whether an account serves a model. */
export function anthropicMessageProbe(account: Account, model: string, beta?: string): ProbeRequest {
  const [name, value] = credentialOf(account)
  return {
    method: 'POST',
    path: pathOf(account, '/v1/messages', ''),
    headers: {
      [name]: value,
      ...(beta !== undefined && { 'anthropic-beta': beta }),
      'content-type': 'application/json',
      'anthropic-version': version,
    },
    body: JSON.stringify({
      model: account.mapping.map(model),
      max_tokens: 1,
      messages: [{ role: 'user', content: 'ping' }],
    }),
  }
}

const pathOf = ({ basePath }: Account, path: string, query: string): string => `${basePath}${path}${query}`

/** Names `beta` beside what the client named, never in its place. */
function addBeta(list: string[], beta: string): void {
  let at = -1
  for (let i = 0; i < list.length; i += 2) {
    if (list[i]!.toLowerCase() !== 'anthropic-beta') continue
    if (list[i + 1]!.split(',').some((one) => one.trim() === beta)) return
    at = i + 1
  }
  if (at < 0) list.push('anthropic-beta', beta)
  else list[at] = list[at]!.trim() === '' ? beta : `${list[at]},${beta}`
}

function withoutTagsBeta(headers: readonly string[]): string[] {
  const list: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    let value = headers[i + 1]!
    if (name.toLowerCase() === 'anthropic-beta' && value.includes(tagsBeta)) {
      value = value
        .split(',')
        .filter((beta) => !beta.trim().startsWith(tagsBeta))
        .join(',')
      if (value.trim() === '') continue
    }
    list.push(name, value)
  }
  return list
}
