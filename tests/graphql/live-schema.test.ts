import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createYoga } from 'graphql-yoga'
import { expect, onTestFinished, test } from 'vitest'
import { buildSchema } from '../../server/graphql/schema.ts'
import type { Context } from '../../server/graphql/server/context.ts'
import type { Viewer } from '../../server/identity/sessions.ts'
import { memoryPlace, request, settled } from '../live/live-stand.ts'

/** Subscriptions of the real schema over SSE; only what they touch is in the context. */
async function startSse(viewer: Viewer | null) {
  const hub = await memoryPlace().join()
  const context = { viewer, parts: { live: hub, now: Date.now } } as unknown as Context & Record<string, unknown>
  const yoga = createYoga<object, Context & Record<string, unknown>>({
    schema: buildSchema(),
    context: () => context,
    logging: false,
  })
  const server = createServer((req, res) => void yoga(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    hub,
    async ask(query: string) {
      const abort = new AbortController()
      onTestFinished(() => abort.abort())
      const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        signal: abort.signal,
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query }),
      })
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      return {
        abort,
        async until(part: string): Promise<string> {
          while (!text.includes(part)) {
            const { value, done } = await reader.read()
            if (done) throw new Error(`ended without ${part}: ${text}`)
            text += value
          }
          return text
        },
      }
    },
  }
}

const admin: Viewer = {
  userId: 1,
  sessionId: 2,
  username: 'a',
  role: 'admin',
  mustChangePassword: false,
  expiresAtMs: Date.now() + 60_000,
}
const query = `subscription { live { sequence gap { dropped }
  started { requestId apiKeyId startedAt }
  settled { requestId outcome cost durationMs accountId }
  account { accountId state { kind until reason models { model } } } } }`

test('the schema’s events come over SSE, with global ids, and end with their session', async () => {
  const { hub, ask } = await startSse(admin)
  const stream = await ask(query)
  const begun = request({ apiKeyId: 9 })
  hub.started(begun)
  hub.settled(settled(begun))
  hub.accountChanged({
    accountId: 3,
    name: 'a',
    groupIds: [1],
    userId: 0,
    enabled: true,
    state: {
      kind: 'cooling_down',
      untilMs: Date.now() + 60_000,
      reason: 'failed',
      fault: null,
      sinceMs: 0,
      nextProbeAtMs: null,
      models: {},
    },
    inFlight: 0,
    steps: [],
  })
  const text = await stream.until('COOLING')
  expect(text).toContain(`"apiKeyId":"${btoa('ApiKey:9')}"`)
  expect(text).toContain('"outcome":"COMPLETED","cost":"1926000"')
  expect(text).not.toContain('"errors"')
  hub.sessionsEnded({ userId: 1 })
  await stream.until('event: complete')
  expect(hub.subscriberCount()).toBe(0)
})

test('totals come as a snapshot and deltas; a reader that leaves is forgotten', async () => {
  const { hub, ask } = await startSse(admin)
  const stream = await ask('subscription { costTotals { revision snapshot day requests failures tokens cost } }')
  await stream.until('"snapshot":true')
  hub.settled(settled(request()))
  expect(await stream.until('"snapshot":false')).toContain('"requests":1,"failures":0,"tokens":18,"cost":"1926000"')
  stream.abort.abort()
  while (hub.subscriberCount() > 0) await new Promise((resolve) => setImmediate(resolve))
})

test('strangers get no reader', async () => {
  const { hub, ask } = await startSse(null)
  const stream = await ask(query)
  await stream.until('UNAUTHENTICATED')
  expect(hub.subscriberCount()).toBe(0)
})
