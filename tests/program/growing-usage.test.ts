import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { deferred } from '../support/deferred.ts'
import { silentLog } from '../support/engines.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayProcess } from '../support/relay-process.ts'
import { messageStart, textBlock } from '../support/sse-fixtures.ts'

const secret = 'sk-free-0123456789abcdef'
const streams = 50
/** Four characters of Latin a token. */
const tokensOf = (chars: number): number => Math.floor(chars / 4)

test('fault 43: killed in the middle of fifty long streams, the relay bills all that passed until its last record of each, one a second', {
  timeout: 240_000,
}, async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const [more, over] = [deferred(), deferred()]
  const parts = [400, 800].map((chars) => 'x'.repeat(chars))
  upstream.scriptWhen(
    () => true,
    async (exchange) => {
      const start = messageStart('claude-opus-5-5', { ...noTokens, input: 100, output: 1 })
      const [begin, first, second] = textBlock(0, parts)
      await exchange.sse([start, begin!, first!], { end: false })
      // The first text is in the journal before the second one comes: a record that has grown.
      await more.promise
      await exchange.sse([second!], { end: false })
      await over.promise
    },
  )
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-usage-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const provision = join(dataDir, 'provision.json')
  await writeFile(
    provision,
    JSON.stringify({
      groups: [{ name: 'g' }],
      accounts: [{ name: 'a', url: upstream.url, secret: 'sk-upstream-0123456789', groups: ['g'] }],
      keys: [{ name: 'k', secret, group: 'g' }],
    }),
  )
  const databaseUrl = `file:${join(dataDir, 'relay.db')}`
  const env = { DATA_DIR: dataDir, PROVISION_FILE: provision, DATABASE_URL: databaseUrl }
  const relay = await startRelayProcess(env)
  const clients = Array.from({ length: streams }, (_, number) => stream(relay.base, number))

  /** Records of usage by request, in order. */
  async function recorded(): Promise<Map<string, number[]>> {
    const found = new Map<string, number[]>()
    const folder = join(dataDir, 'journal')
    for (const name of await readdir(folder)) {
      for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
        if (!line.startsWith('{"t":"u"')) continue
        const { id, r } = JSON.parse(line)
        found.set(id, [...(found.get(id) ?? []), r.reading.tokens.output])
      }
    }
    return found
  }
  const allHave = async (tokens: number) => {
    const last = [...(await recorded()).values()].map((outputs) => outputs.at(-1)!)
    return last.filter((output) => output >= tokens).length
  }
  await expect.poll(() => allHave(tokensOf(400)), { timeout: 60_000, interval: 200 }).toBe(streams)
  more.resolve()
  await expect.poll(() => allHave(tokensOf(1200)), { timeout: 60_000, interval: 200 }).toBe(streams)
  await relay.kill()
  over.resolve()
  await Promise.all(clients)

  const again = await startRelayProcess(env)
  expect(await again.stop()).toBe(0)
  const database = await openDatabase({ url: databaseUrl, log: silentLog })
  onTestFinished(() => database.close())
  const rows = await database.select('SELECT `outcome`, `output_tokens`, `usage_source`, `cost_nano` FROM `logs`')
  expect(rows.length).toBe(streams)
  for (const [outcome, output, source, cost] of rows) {
    expect([outcome, source]).toEqual(['interrupted', 'estimated'])
    expect(Number(output)).toBeGreaterThanOrEqual(tokensOf(1200))
    expect(Number(cost)).toBeGreaterThan(0)
  }
})

/** Reads until the relay is killed. */
async function stream(base: string, number: number): Promise<void> {
  try {
    const response = await fetch(`${base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'claude-opus-5-5',
        max_tokens: 10_000,
        stream: true,
        messages: [{ role: 'user', content: `number ${number}` }],
      }),
    })
    await response.text()
  } catch {
    // Killed.
  }
}
