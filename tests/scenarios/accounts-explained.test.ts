import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSocket } from '../graphql/live-stand.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Recorded } from '../support/fake-upstream.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await createFakeUpstream()
})
afterAll(() => upstream.close())

async function started(options: RelayAppOptions) {
  const relay = await startRelayApp({ env: { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' }, ...options })
  const token = await signedIn(relay.app.url, 'admin', 'correct horse battery')
  const states = async (): Promise<{ account: string; name: string; models: number }[]> => {
    const query = '{ accounts { edges { node { name state { name models { model } } } } } }'
    const { data } = await askGraphql(relay.app.url, query, {}, token)
    return data.accounts.edges.map(
      ({ node }: { node: { name: string; state: { name: string; models: unknown[] } } }) => ({
        account: node.name,
        name: node.state.name,
        models: node.state.models.length,
      }),
    )
  }
  return { relay, token, states }
}

test("what one client does wrong a hundred times takes no account out of anybody's service", async () => {
  const { relay, states } = await started({
    accounts: [{ url: upstream.url }, { url: upstream.url }],
    keys: [
      { name: 'clumsy', secret: testKey, group: 'g' },
      { name: 'other', secret: 'sk-other-0123456789abcdef', group: 'g' },
    ],
  })
  const isClumsy = (request: Recorded) => request.body.includes('"clumsy"')
  try {
    for (const [status, type, message] of [
      [400, 'invalid_request_error'],
      [404, 'not_found_error'],
      [413, 'request_too_large'],
      [422, 'invalid_request_error'],
      // Any other 403 is about the account or its address, also when several say so.
      [403, 'permission_error', 'no access to this model'],
    ] as const) {
      const stop = upstream.scriptWhen(isClumsy, refusal(status, type, message))
      for (let i = 0; i < 100; i++) {
        const answer = await ask(relay.base, testKey, {
          body: {
            model: 'claude-opus-4-5',
            messages: [{ role: 'user', content: `clumsy` }],
            metadata: { user_id: `${i}` },
          },
        })
        expect(answer.status).toBeGreaterThanOrEqual(400)
      }
      stop()
      expect(
        (await states()).map(({ name }) => name),
        `after ${status}`,
      ).toEqual(['READY', 'READY'])
      const before = upstream.requests.length
      const good = await ask(relay.base, 'sk-other-0123456789abcdef', { body: { model: 'claude-sonnet-4-5' } })
      expect(good.status).toBe(200)
      expect(upstream.requests.length).toBe(before + 1)
    }
  } finally {
    await relay.stop()
  }
}, 60_000)

test('a dead host among three: no client sees an error, it cools, it returns, and subscribers saw each step with its reason', async () => {
  const host = await createFaultProxy({ target: upstream.url })
  await host.down()
  const { relay, token } = await started({
    accounts: [
      { name: 'dead', url: host.url, priority: 1 },
      { name: 'two', url: upstream.url, priority: 2 },
      { name: 'three', url: upstream.url, priority: 2 },
    ],
    statePolicy: { failures: 2, windowMs: 60_000, firstCooldownMs: 40, maxCooldownMs: 40, halfOpenMs: 60_000 },
  })
  const socket = openSocket(Number(new URL(relay.app.url).port))
  await socket.signIn(token)
  await socket.until((messages) => messages.some(({ type }) => type === 'connection_ack'))
  socket.subscribe(
    'subscription { accountEvents { events { ... on AccountChanged { account { name } steps { from to reason until requestId cause failure { code place } } } } } }',
  )
  interface Step {
    from: string
    to: string
    reason: string
    until: string | null
    failure: { code: string; place: string } | null
  }
  const steps = (): Step[] =>
    socket.messages.flatMap(({ type, payload }) => {
      if (type !== 'next') return []
      const { data } = payload as {
        data: { accountEvents: { events: { account: { name: string }; steps: Step[] }[] } }
      }
      return data.accountEvents.events.flatMap(({ account, steps }) => (account.name === 'dead' ? steps : []))
    })
  const statuses = new Set<number>()
  let turn = 0
  const askUntil = async (to: string): Promise<Step> => {
    for (;;) {
      const found = steps().findLast((step) => step.to === to)
      if (found) return found
      // Another conversation each time: one that went elsewhere would stay there.
      const messages = [{ role: 'user', content: `turn ${++turn}` }]
      statuses.add((await ask(relay.base, testKey, { body: { messages } })).status)
    }
  }
  try {
    const cooled = await askUntil('COOLING_DOWN')
    expect(cooled.until).not.toBeNull()
    expect(cooled.reason).toBe(`connection refused by 127.0.0.1:${host.port} (ECONNREFUSED)`)
    expect(cooled.failure).toEqual({ code: 'CONNECTION_REFUSED', place: `127.0.0.1:${host.port}` })
    await host.up()
    const back = await askUntil('READY')
    expect(back.from).toBe('RECOVERING')
    expect([...statuses]).toEqual([200])
    const seen = steps().map(({ from, to }) => `${from}→${to}`)
    expect(seen[0]).toBe('READY→COOLING_DOWN')
    expect(seen.slice(-2)).toEqual(['COOLING_DOWN→RECOVERING', 'RECOVERING→READY'])
    expect(steps().every(({ to, reason }) => to === 'READY' || reason !== '')).toBe(true)
  } finally {
    socket.socket.terminate()
    await relay.stop()
    await host.close()
  }
})
