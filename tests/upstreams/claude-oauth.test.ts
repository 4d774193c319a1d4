import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClaudeOauth } from '../../server/upstreams/platforms/claude/oauth.ts'
import { createTransport, type Transport } from '../../server/upstreams/transport/transport.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'

let vendor: FakeUpstream
let transport: Transport

beforeAll(async () => {
  vendor = await createFakeUpstream()
  transport = createTransport({ allow: ['127.0.0.0/8'], connectTimeoutMs: 5_000 })
})
afterAll(async () => {
  await transport.close()
  await vendor.close()
})

async function refresh(status: number, body: object | string) {
  vendor.script((exchange) => exchange.respond(status, {}, body))
  const endpoints = {
    authorizeUrl: `${vendor.url}/authorize`,
    tokenUrl: `${vendor.url}/token`,
    redirectUrl: `${vendor.url}/callback`,
    clientId: 'client-of-the-test',
    scopes: 'one',
  }
  const oauth = createClaudeOauth({ transport, endpoints, now: () => 1_000_000, timeoutMs: 10_000 })
  return oauth.refresh('ort-CANARY-0123456789', { proxy: null, proxyIsTrusted: false })
}

const enveloped = (type: string, more: object = {}) => ({ type: 'error', error: { type, message: 'CANARY', ...more } })

test.each([
  ['the page of a firewall', 403, '<html>Attention required</html>'],
  ['a page of a portal', 200, '<html>sign in</html>'],
  ['a page that names a grant', 403, '<html>invalid_grant</html>'],
  ['a wrong request', 400, enveloped('invalid_request_error')],
  ['a wrong request in short', 400, { error: 'invalid_request' }],
  ['a limit', 429, enveloped('rate_limit_error')],
  ['no permission', 403, enveloped('permission_error')],
  ['a failed login of somebody', 401, enveloped('authentication_error')],
  ['a refused client', 401, { error: 'invalid_client' }],
  ['an unsupported grant', 400, { error: 'unsupported_grant_type' }],
  ['a scope', 400, { error: 'invalid_scope' }],
  ['an unknown code', 400, { error: 'something_new' }],
  ['an unknown path', 404, enveloped('not_found_error')],
  ['nothing', 400, ''],
  ['no code', 400, '{}'],
  ['a list', 400, '[]'],
  ['a gateway', 502, '<html>Bad gateway</html>'],
  ['an error of the vendor', 500, enveloped('api_error')],
  ['an overload', 529, enveloped('overloaded_error')],
  ['a broken server that names the grant', 503, { error: 'invalid_grant' }],
  ['a success without tokens', 200, { token_type: 'Bearer' }],
])('a refresh that is answered by %s leaves the login as it is, to be tried again', async (_name, status, body) => {
  expect(await refresh(status, body)).toMatchObject({ kind: 'failed', reason: expect.not.stringContaining('CANARY') })
})

test.each([
  ['invalid_grant', 400, { error: 'invalid_grant', error_description: 'Refresh token not found or invalid' }],
  ['invalid_grant in an envelope', 401, enveloped('invalid_grant')],
  ['invalid_grant, forbidden', 403, { error: 'invalid_grant' }],
  ['invalid_grant with status 200', 200, { error: 'invalid_grant' }],
  ['a reused token', 401, enveloped('invalid_request_error', { code: 'refresh_token_reused' })],
  ['an expired token', 401, { error: { code: 'refresh_token_expired' } }],
  ['an invalidated token', 401, { error: { code: 'refresh_token_invalidated' } }],
  ['a revoked token', 400, { error: 'refresh_token_revoked' }],
  ['a token that is not found', 400, { error: 'refresh_token_not_found' }],
  ['an invalid token', 400, { error: 'invalid_refresh_token' }],
])('a refresh that is answered by %s ends the login', async (_name, status, body) => {
  expect(await refresh(status, body)).toMatchObject({ kind: 'refused', reason: expect.not.stringContaining('CANARY') })
})
