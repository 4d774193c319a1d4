import { Agent, request } from 'node:http'
import { expect, test } from 'vitest'
import { openSocket } from '../graphql/live-stand.ts'
import { signInAt } from '../graphql/post-at.ts'
import { password } from '../graphql/stand.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'

const query = `subscription { requestEvents { cursor gap { dropped } events {
  ... on RequestStarted { request { requestId modelRequested apiKey { name } account { name } } }
  ... on RequestProgressed { request { requestId tokens { input output } } }
  ... on RequestSettled { request { requestId modelRequested cost errorType apiKey { name } account { name } } } } } }`
const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })
const perRound = 300
const atOnce = 8

// Shared machines have slow moments: of several rounds the quietest counts, and what is without the reader stands on both sides.
test('fault 47: a subscriber that never reads does not slow the relay down', { timeout: 240_000 }, async () => {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    env: { DEFAULT_ADMIN_PASSWORD: password },
    // However slow the machine: no answer is given up.
    timers: { firstByteJsonMs: 60_000, blockedMs: 60_000 },
    liveRing: { slots: 2000, bytes: 16 * 1024 * 1024 },
  })
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const { port } = new URL(relay.base)
  const token = await signInAt(`${relay.app.url}/graphql`, 'admin')

  const askMs = () =>
    new Promise<number>((resolve, reject) => {
      const from = performance.now()
      const headers = { authorization: `Bearer ${testKey}`, 'content-length': body.length }
      const options = { agent, host: '127.0.0.1', port, method: 'POST', path: '/claude-code/v1/messages', headers }
      request(options, (answer) => {
        const tookMs = () => performance.now() - from
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve(tookMs()) : reject(new Error(`status ${answer.statusCode}`)),
        )
        answer.resume()
      })
        .on('error', reject)
        .end(body)
    })

  async function slowestPercentMs(): Promise<number> {
    const tookMs: number[] = []
    const worker = async () => {
      while (tookMs.length < perRound) tookMs.push(await askMs())
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    return tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length * 0.99)]!
  }

  async function quietest(rounds: number): Promise<number> {
    let leastMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) leastMs = Math.min(leastMs, await slowestPercentMs())
    return leastMs
  }

  async function deafReader() {
    const client = openSocket(Number(port))
    await client.signIn(token)
    await client.until((messages) => messages.some(({ type }) => type === 'connection_ack'))
    client.subscribe(query)
    // What is asked over the socket later is answered later: the subscription stands.
    client.subscribe('{ nothing }', '2')
    await client.until((messages) => messages.some(({ id }) => id === '2'))
    client.socket.pause()
    return client
  }

  try {
    await slowestPercentMs()
    const alone = [await quietest(3)]
    const reader = await deafReader()
    // Beyond what the kernel's buffers and the ring hold.
    while (upstream.requests.length < 4000) await slowestPercentMs()
    const watched = await quietest(3)
    reader.socket.terminate()
    alone.push(await quietest(3))
    const without = Math.min(...alone)
    console.info(`slowest percent: ${without.toFixed(1)} ms without the reader, ${watched.toFixed(1)} ms with it`)
    expect(watched / without).toBeLessThan(3)
  } finally {
    agent.destroy()
    await relay.stop()
    await upstream.close()
  }
})
