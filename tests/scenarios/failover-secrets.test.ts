import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { createConnectProxy } from '../support/connect-proxy.ts'
import { errorBody } from '../support/fake-message.ts'
import { errorAfterEvents, htmlPage, refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type Script } from '../support/fake-upstream.ts'
import { errorEvent, messageStart, textBlock } from '../support/sse-fixtures.ts'
import { keyOf, secretOf, startPools } from './pools.ts'

const prompt = 'CANARY-PROMPT-7f3a'
const answerText = 'CANARY-ANSWER-91bc'
const password = 'CANARY-PASSWORD-55de'
const sessionId = 'session-that-is-kept-0001'

/** Every way an upstream can quote what it was told, or say something of its own. */
const scripts: Script[] = [
  (exchange) => exchange.respond(200, {}, { type: 'message', model: 'm', content: [{ text: answerText }], usage: {} }),
  ...[400, 401, 402, 403, 404, 413, 422, 429, 500, 503, 529].map((status) =>
    refusal(status, 'invalid_request_error', `you said ${prompt}`, { 'retry-after': '0', 'x-quoted': prompt }),
  ),
  (exchange) => exchange.respond(400, {}, errorBody(`${prompt} as a type`, prompt)),
  (exchange) => exchange.respond(500, { 'content-type': 'text/html' }, `<h1>${prompt}</h1>`),
  (exchange) => exchange.respond(302, { location: `https://x/?${prompt}` }, ''),
  (exchange) => exchange.respond(200, { 'content-type': 'application/json' }, `{"broken ${prompt}`),
  (exchange) => exchange.respond(200, { 'content-type': 'application/json' }, errorBody('api_error', prompt)),
  htmlPage,
  (exchange) => exchange.sse([errorEvent('api_error', prompt)]),
  errorAfterEvents(4),
  async (exchange) => {
    await exchange.sse([messageStart('m', noTokens), ...textBlock(0, [answerText, prompt])], { end: false })
    await exchange.reset()
  },
  async (exchange) => {
    await exchange.begin()
    await exchange.write(
      `event: content_block_start\ndata: {"type":"content_block_start"}\n\nevent: message_delta\ndata: {"${prompt}`,
    )
    await exchange.fin()
  },
  (exchange) =>
    exchange.sse([messageStart('m', noTokens), ...textBlock(0, [answerText]), { event: 'message_stop', data: {} }]),
]

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

test('prompts, answers, keys and passwords are in no database, journal or log, whatever goes wrong', async () => {
  const upstream = await createFakeUpstream()
  const proxy = await createConnectProxy({ credentials: { username: 'u', password: 'another' } })
  const pools = Object.fromEntries(scripts.map((_, index) => [`s${index}`, [{ url: upstream.url }]]))
  const relay = await startPools({
    ...pools,
    proxied: [{ url: 'https://upstream.test:1', proxy: proxy.url.replace('another', password) }],
    nobody: [{ url: 'http://127.0.0.1:9' }],
  })
  const body = {
    messages: [{ role: 'user', content: prompt }],
    system: prompt,
    metadata: { user_id: `${prompt}_session_${sessionId}` },
    safeguards: prompt,
  }
  const headers = { 'x-custom': prompt, cookie: prompt }
  try {
    for (const [index, script] of scripts.entries()) {
      upstream.script(script)
      await relay.ask(`s${index}`, { body: { ...body, stream: index > 0 }, headers })
    }
    for (const pool of ['proxied', 'nobody']) await relay.ask(pool, { body, headers })
    // Refused before any upstream: a broken body, an unknown key that looks like one, a model that is not allowed.
    await relay.ask('s0', { body: `{"model":"m","messages":["${prompt}"`, headers })
    await relay.ask('s0', { body: `{"model":{"${prompt}":1},"stream":true}`, headers })
    await relay.ask('s0', { body, headers, key: `sk-${prompt}-0123456789` })
    await relay.ask('s0', { body, path: `/v1/${prompt}`, headers })
    const left = new AbortController()
    const asked = relay.ask('s0', { body, headers, signal: left.signal }).catch(() => null)
    left.abort()
    await asked
    await relay.app.settled()

    const rows = await relay.rows()
    expect(rows.length).toBeGreaterThanOrEqual(scripts.length + 2)
    expect(rows[0]?.['session_id']).toBe(sessionId)

    const canaries = [
      prompt,
      answerText,
      password,
      ...Object.keys(pools).flatMap((pool) => [keyOf(pool), secretOf(pool, 0)]),
    ]
    const canaryBytes = canaries.flatMap((text) => [text, Buffer.from(text).toString('base64').slice(0, -4)])
    const stores = new Map<string, string>([['log', relay.log.join('\n')]])
    for (const table of [
      'logs',
      'api_logs',
      'attempts',
      'accounts',
      'account_credentials',
      'account_events',
      'job_runs',
      'api_keys',
      'journals',
      'settings',
      'users',
      'hourly_rollups',
      'daily_rollups',
    ]) {
      const cells = await relay.app.database.select(`SELECT * FROM \`${table}\``)
      stores.set(
        table,
        cells
          .map((row) =>
            row
              .map((cell) =>
                ArrayBuffer.isView(cell) ? Buffer.from(cell as unknown as Uint8Array).toString('latin1') : String(cell),
              )
              .join('|'),
          )
          .join('\n'),
      )
    }
    const journals: string[] = []
    for (const file of await filesBelow(relay.dataDir)) {
      stores.set(file, (await readFile(file)).toString('latin1'))
      if (file.includes('journal')) journals.push(file)
    }
    // The search finds what is there: the session is kept on purpose.
    expect(journals.filter((file) => stores.get(file)!.includes(sessionId))).not.toEqual([])
    expect(stores.get('logs')).toContain(sessionId)
    for (const [store, text] of stores) {
      const found = canaryBytes.filter((canary) => text.includes(canary))
      expect(found, store).toEqual([])
    }
  } finally {
    await relay.stop()
    await upstream.close()
    await proxy.close()
  }
})
