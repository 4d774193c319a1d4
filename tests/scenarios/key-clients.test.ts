import { expect, onTestFinished, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { smallBody } from './ingress-socket.ts'

const password = 'correct horse battery'

async function open() {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    env: { TRUSTED_PROXIES: '127.0.0.0/8', DEFAULT_ADMIN_PASSWORD: password },
    sightingsWriteMs: 0,
    keys: [
      {
        name: 'narrow',
        secret: testKey,
        group: 'g',
        allowedAddresses: ['203.0.113.0/24', '2001:db8::1'],
        allowedClients: ['claude-cli/*'],
      },
    ],
  })
  onTestFinished(async () => {
    await relay.stop()
    await upstream.close()
  })
  async function ask(from: string, program: string, path = '/v1/messages') {
    const response = await fetch(`${relay.base}${path}`, {
      method: path === '/v1/models' ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'x-forwarded-for': from, 'user-agent': program },
      ...(path !== '/v1/models' && { body: smallBody() }),
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  return { upstream, relay, ask }
}

const cli = 'claude-cli/2.1.0 (external, cli)'

test('a key is refused from other addresses and for other programs, by a sentence that names what was seen', async () => {
  const { upstream, ask } = await open()
  for (const from of ['203.0.113.9', '2001:db8::1']) expect((await ask(from, cli)).status).toBe(200)
  const asked = upstream.requests.length
  for (const [from, program, sentence] of [
    ['198.51.100.7', cli, 'This API key may not be used from the address 198.51.100.7.'],
    ['2001:db8::2', cli, 'This API key may not be used from the address 2001:db8::2.'],
    ['203.0.113.9', 'curl/8.5.0', 'This API key may not be used by the program \\"curl/8.5.0\\".'],
  ] as const) {
    for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/models']) {
      const refused = await ask(from, program, path)
      expect(refused.status).toBe(400)
      expect(refused.headers.get('x-should-retry')).toBe('false')
      expect(refused.text).toContain('invalid_request_error')
      expect(refused.text).toContain(sentence)
    }
  }
  expect(upstream.requests.length).toBe(asked)
})

test('where a key was used from and by which programs is kept for seven days, and can be narrowed by it', async () => {
  const { relay, ask } = await open()
  await ask('203.0.113.9', cli)
  await ask('198.51.100.7', 'curl/8.5.0')
  const token = await signedIn(relay.app.url, 'admin', password)
  const seen = async () => {
    const query =
      '{ apiKeys { nodes { id allowedAddresses allowedClients seen { kind value firstSeenAt lastSeenAt } } } }'
    const { data } = await askGraphql(relay.app.url, query, {}, token)
    return data.apiKeys.nodes[0]
  }
  const values = async () =>
    (await seen()).seen.map(({ kind, value }: { kind: string; value: string }) => `${kind} ${value}`)
  await expect
    .poll(async () => (await values()).sort(), { timeout: 20_000 })
    .toEqual(['ADDRESS 198.51.100.7', 'ADDRESS 203.0.113.9', `CLIENT ${cli}`, 'CLIENT curl/8.5.0'])
  const { id, allowedAddresses, allowedClients } = await seen()
  expect({ allowedAddresses, allowedClients }).toEqual({
    allowedAddresses: ['203.0.113.0/24', '2001:db8::1/128'],
    allowedClients: ['claude-cli/*'],
  })
  const update = `mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { __typename
    ... on InputFailure { fields { path code } } } }`
  const change = async (input: object) =>
    (await askGraphql(relay.app.url, update, { input: { id, ...input } }, token)).data.updateApiKey
  expect(await change({ allowedAddresses: ['10.1'], allowedClients: ['\n'] })).toEqual({
    __typename: 'InputFailure',
    fields: [
      { path: 'allowedAddresses[0]', code: 'NETWORK_MALFORMED' },
      { path: 'allowedClients[0]', code: 'CLIENT_PATTERN_MALFORMED' },
    ],
  })
  expect(await change({ allowedAddresses: ['198.51.100.7'], allowedClients: [] })).toMatchObject({
    __typename: 'UpdateApiKeySuccess',
  })
  expect((await ask('198.51.100.7', 'curl/8.5.0')).status).toBe(200)
  expect((await ask('203.0.113.9', cli)).status).toBe(400)
})
