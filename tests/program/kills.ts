import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../../server/store/database.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl, silentLog } from '../support/engines.ts'
import { messageEvents, usageOf } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Recorded } from '../support/fake-upstream.ts'
import { type RelayProcess, startRelayProcess } from '../support/relay-process.ts'

/** What clients and upstream saw while the relay was killed and started again. */
export interface Killed {
  database: Database
  upstream: FakeUpstream
  /** Upstream calls by the request's mark, which the ledger has as `session_id`. */
  calls: Map<string, Recorded[]>
  /** Marks of the answers that came whole, with the request id the client saw. */
  answered: Map<string, string>
  sent: number
  exitCode: number | null
  /** What was left in the journal's folder after the regular stop. */
  leftInJournal: string[]
  close(): Promise<void>
}

const sessionHeader = 'x-claude-code-session-id'
const secrets = ['sk-free-0123456789abcdef', 'sk-limited-0123456789abcdef']
const account = (number: number) => `sk-upstream-${number}-0123456789`

/**
 * Kills the relay `kills` times at random moments (of `seed`) while `clients` clients stream through it without a pause, then
 * lets the last process end in order. Three accounts, of which one refuses every third call; one key has limits, one has none.
 */
export async function killWhileStreaming(plan: { seed: number; kills: number; clients: number }): Promise<Killed> {
  const random = randomOf(plan.seed)
  const upstream = await createFakeUpstream()
  // Moments are counted in events that the upstream sent, not in time: a slow machine kills at the same points.
  let events = 0
  let killAt = { event: Number.POSITIVE_INFINITY, reached: deferred() }
  upstream.scriptWhen(
    ({ headers, index }) => headers.authorization === `Bearer ${account(3)}` && index % 3 === 0,
    refusal(529, 'overloaded_error'),
  )
  upstream.scriptWhen(
    () => true,
    async (exchange) => {
      const { request } = exchange
      const tokens = usageOf(request.body.length, request.index)
      exchange.count('claude-opus-5-5', tokens)
      const pauseMs = 5 + random() * 45
      await exchange.sse(messageEvents('claude-opus-5-5', tokens, request.index, 8), {
        pace() {
          if (++events >= killAt.event) killAt.reached.resolve()
          return request.socket.destroyed ? undefined : delay(pauseMs)
        },
      })
    },
  )

  const dataDir = await mkdtemp(join(tmpdir(), 'relay-kill-'))
  const external = engines === 'services' ? await newDatabaseAddress() : null
  const databaseUrl = external?.url ?? `file:${join(dataDir, 'relay.db')}`
  const provision = join(dataDir, 'provision.json')
  await writeFile(provision, JSON.stringify(provisionFor(upstream.url)))
  const env = {
    DATA_DIR: dataDir,
    PROVISION_FILE: provision,
    DATABASE_URL: databaseUrl,
    ...(external && { REDIS_URL: redisUrl }),
  }

  let relay: RelayProcess = await startRelayProcess(env)
  let up = deferred<string>()
  up.resolve(relay.base)
  let over = false
  let sent = 0
  const answered = new Map<string, string>()

  async function client(number: number): Promise<void> {
    while (!over) {
      const base = await up.promise
      if (over) return
      const mark = randomUUID()
      sent++
      try {
        const response = await fetch(`${base}/v1/messages`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${secrets[number % 2]}`,
            'content-type': 'application/json',
            [sessionHeader]: mark,
          },
          body: JSON.stringify({
            model: 'claude-opus-5-5',
            max_tokens: 100,
            stream: true,
            messages: [{ role: 'user', content: 'x'.repeat(number) }],
          }),
        })
        const text = await response.text()
        if (text.includes('event: message_stop')) answered.set(mark, response.headers.get('x-request-id') ?? '')
      } catch {
        // Killed under the request: the next one waits for the next process. A refused connection may come before we know.
        await delay(5)
      }
    }
  }

  const clients = Array.from({ length: plan.clients }, (_, number) => client(number))
  for (let kill = 0; kill < plan.kills; kill++) {
    killAt = { event: events + random() * 900, reached: deferred() }
    await killAt.reached.promise
    up = deferred()
    await relay.kill()
    relay = await startRelayProcess(env)
    up.resolve(relay.base)
  }
  await delay(200)
  over = true
  await Promise.all(clients)
  const exitCode = await relay.stop()

  const database = await openDatabase({ url: databaseUrl, log: silentLog })
  const calls = new Map<string, Recorded[]>()
  for (const request of upstream.requests) {
    const mark = String(request.headers[sessionHeader])
    calls.set(mark, [...(calls.get(mark) ?? []), request])
  }
  return {
    database,
    upstream,
    calls,
    answered,
    sent,
    exitCode,
    leftInJournal: await readdir(join(dataDir, 'journal')),
    async close() {
      await database.close()
      await upstream.close()
      await external?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function provisionFor(url: string) {
  return {
    groups: [{ name: 'g' }],
    accounts: [1, 2, 3].map((number) => ({
      name: `account ${number}`,
      platform: 'console',
      url,
      authHeader: 'bearer',
      secret: account(number),
      groups: ['g'],
    })),
    keys: [
      { name: 'free', secret: secrets[0], group: 'g' },
      { name: 'limited', secret: secrets[1], group: 'g', dailyLimitUsd: '1000', totalLimitUsd: '5000' },
    ],
  }
}

/** mulberry32: small, and the same on every machine. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
