// Finds the API key of a request from its headers alone, before a byte of the body is read.
import type { IncomingHttpHeaders } from 'node:http'
import { fail } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import type { Keys } from '../../keys/keys.ts'
import { presentedSecrets } from '../../keys/presented-secrets.ts'
import type { Format } from '../../upstreams/format.ts'
import { type Refused, refusedKey } from './refused.ts'

/** Claude Code may send two different credentials at once: the first that is a key of ours counts, bearer first. */
export function authenticate(
  headers: IncomingHttpHeaders,
  keys: Pick<Keys, 'hmacOf' | 'findByHmac'>,
  nowMs: number,
  format: Pick<Format, 'name'> = { name: 'anthropic' },
): ApiKey | Refused {
  const variable = format.name === 'anthropic' ? 'ANTHROPIC_AUTH_TOKEN' : 'OPENAI_API_KEY'
  const credentials = presentedSecrets(headers)
  let secretHash = ''
  for (const credential of credentials) {
    const hmac = keys.hmacOf(credential)
    const key = keys.findByHmac(hmac)
    if (!key) {
      secretHash ||= hmac
      continue
    }
    if (!key.enabled || !key.ownerEnabled) {
      return refusedKey(key, fail('key_disabled', 'This API key is disabled. Ask the administrator of this relay.'))
    }
    if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) {
      const expired = new Date(key.expiresAtMs).toISOString()
      return refusedKey(key, fail('key_expired', `This API key expired at ${expired}.`))
    }
    return key
  }
  // Never the words "invalid x-api-key": Claude Code hides them behind "Please run /login".
  const failure =
    credentials.length > 0
      ? fail('key_unknown', `This API key is not known to this relay. Check ${variable}.`)
      : fail('key_missing', `No API key was sent. Set ${variable} to a key of this relay.`)
  return { failure, key: null, secretHash }
}
