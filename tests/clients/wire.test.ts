import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Recorded } from '../support/fake-upstream.ts'
import { testKey } from '../support/relay-app.ts'
import { isMain, messageOf, putFile, versions, withDesk } from './claude-code.ts'

const prompt = 'Please say the three words.'
const answer = 'word 0 你好 🙂 word 1 你好 🙂 word 2 你好 🙂'
const secretOf = ({ headers }: Recorded) => headers['authorization'] ?? headers['x-api-key']

test.each(['/v1', '/', '/v1/'])('a base URL that ends in %s works', (tail) =>
  withDesk({}, async ({ claude, relay }) => {
    expect(await claude(prompt, { base: relay.base + tail })).toMatchObject({ code: 0, stdout: `${answer} \n` })
  }),
)

test('a wrong base URL is answered at once with the right one', () =>
  withDesk({}, async ({ claude, relay }) => {
    const ran = await claude(prompt, { base: relay.app.url })
    expect(ran.code).not.toBeNull()
    expect(ran.durationMs).toBeLessThan(20_000)
    const direct = await fetch(`${relay.app.url}/v1/messages`, { method: 'POST', body: '{}' })
    expect(direct.status).toBe(404)
    expect(await direct.text()).toContain(`${relay.base}.`)
  }))

test('a mapped model is asked for by its other name, and the row knows both', () =>
  withDesk({ account: { modelMapping: { 'claude-*': 'glm-4.6' } } }, async ({ claude, upstream, relay }) => {
    const ran = await claude(prompt, { args: ['--model', 'claude-opus-5-5'] })
    expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
    expect(messageOf(upstream.requests[0]!).model).toBe('glm-4.6')
    expect(await relay.rows()).toEqual([
      expect.objectContaining({ model_requested: 'claude-opus-5-5', model_sent: 'glm-4.6', outcome: 'completed' }),
    ])
  }))

test.each([
  ['ANTHROPIC_API_KEY alone', { ANTHROPIC_AUTH_TOKEN: '', ANTHROPIC_API_KEY: testKey }],
  [
    'a token that is no key of ours beside one that is',
    { ANTHROPIC_AUTH_TOKEN: 'sk-of-somebody-else-0123', ANTHROPIC_API_KEY: testKey },
  ],
  [
    'a good token beside another API key',
    { ANTHROPIC_AUTH_TOKEN: testKey, ANTHROPIC_API_KEY: 'sk-of-somebody-else-0123' },
  ],
])('%s opens the door, and none of it goes up', (_, env) =>
  withDesk({}, async ({ claude, upstream }) => {
    expect(await claude(prompt, { env })).toMatchObject({ code: 0, stdout: `${answer} \n` })
    expect(upstream.requests.map(secretOf)).toEqual(['Bearer sk-upstream-1-0123456789'])
    expect(upstream.requests.map(({ rawHeaders }) => rawHeaders.join('\n')).join('\n')).not.toMatch(
      /sk-test|sk-of-some/,
    )
  }),
)

test('settings.json is enough to connect, with a helper that prints the key', () =>
  withDesk({}, async ({ claude, upstream, relay, folder }) => {
    const helper = await putFile(folder, 'key.sh', `#!/bin/sh\necho ${testKey}\n`)
    const settings = JSON.stringify({ apiKeyHelper: `sh ${helper}`, env: { ANTHROPIC_BASE_URL: relay.base } })
    await mkdir(join(folder, 'settings'))
    const path = await putFile(folder, 'settings/settings.json', settings)
    const env = { ANTHROPIC_BASE_URL: '', ANTHROPIC_AUTH_TOKEN: '' }
    const ran = await claude(prompt, { args: ['--settings', path], env })
    expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
    expect(upstream.requests.map(secretOf)).toEqual(['Bearer sk-upstream-1-0123456789'])
  }))

/** Headers that may differ: where it goes, who pays, how the bytes travel, and what is new in each run. */
const ownAffairs = new Set([
  'host',
  'connection',
  'authorization',
  'accept-encoding',
  'content-length',
  'x-claude-code-session-id',
])
/** Tell of the machine that asks; protocol.md §1.2 keeps them here. */
const keptHere = new Set(['anthropic-dangerous-direct-browser-access', 'sec-fetch-mode'])

const lines = ({ rawHeaders }: Recorded): string[] =>
  rawHeaders
    .flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]!] as const] : []))
    .filter(([name]) => !ownAffairs.has(name) && !keptHere.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort()

test.each(versions)('what Claude Code %s sends through the relay is what it sends without', (version) =>
  withDesk({}, async ({ claude, upstream }) => {
    await claude(prompt, { version })
    await claude(prompt, { version, base: upstream.url })
    const [relayed, direct] = upstream.requests.filter((request) => isMain(request, prompt))
    expect(secretOf(relayed!)).not.toBe(secretOf(direct!))
    expect(relayed!.path).toBe(direct!.path)
    expect(lines(relayed!)).toEqual(lines(direct!))
    expect(lines(relayed!).join()).toMatch(/anthropic-beta: .*anthropic-version: 2023-06-01/s)
    expect(Object.keys(messageOf(relayed!))).toEqual(Object.keys(messageOf(direct!)))
  }),
)

test('the upstream request id reaches the client, and our own beside it', () =>
  withDesk({}, async ({ claude, relay }) => {
    const ran = await claude(prompt, { args: ['--output-format', 'stream-json', '--verbose'] })
    expect(ran.code).toBe(0)
    expect(ran.stdout).toContain('"request_id":"req_fake_0"')
    expect(await relay.rows()).toHaveLength(1)
  }))

test('an answer streams: the client passes on its pieces as they come', () =>
  withDesk({}, async ({ claude, upstream }) => {
    const args = ['--output-format', 'stream-json', '--verbose', '--include-partial-messages']
    const ran = await claude(prompt, { args })
    const events = ran.stdout.split('\n').filter((line) => line.includes('"text_delta"'))
    expect(events).toHaveLength(3)
    // A stream that the client cannot read shows only here: it asks again without one.
    expect(upstream.requests).toHaveLength(1)
  }))

test('/context counts tokens many times at once, and none of it is a row', () =>
  withDesk({}, async ({ claude, upstream, relay }) => {
    const ran = await claude('/context')
    expect(ran.code).toBe(0)
    const counts = upstream.requests.filter(({ path }) => path.startsWith('/v1/messages/count_tokens'))
    expect(counts.length).toBeGreaterThan(5)
    expect(await relay.rows()).toHaveLength(upstream.requests.length - counts.length)
  }))
