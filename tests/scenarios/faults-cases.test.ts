// Over 300 lines: one table of cases.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Script } from '../support/fake-upstream.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { startWatched, type Watched } from './watched.ts'

/** Responses that were judged or billed wrongly elsewhere: as files, and the same kinds in other words. Account A sends them, B is well. */

const folder = new URL('../upstreams/cases/', import.meta.url)

interface Case {
  status: number
  type: string
  headers?: Record<string, string>
  body: string
  stream?: boolean
  /** Who serves it; and what becomes of A. */
  by: 'A' | 'B'
  kind?: string
  row?: Record<string, unknown>
  flag?: string
}

function fileCase(name: string): Pick<Case, 'status' | 'type' | 'headers' | 'body'> {
  const text = readFileSync(new URL(`${name}.txt`, folder), 'utf8')
  const [head, ...rest] = text.split('\n\n')
  const [line, ...lines] = head!.split('\n')
  const nowS = Math.floor(Date.now() / 1000)
  const headers = Object.fromEntries(
    lines.map((one) => {
      const [key, value] = one.split(': ') as [string, string]
      return [key, value.replace(/\{\{now-(\d+)\}\}/, (_whole, s) => String(nowS - Number(s)))]
    }),
  )
  return { status: Number.parseInt(line!, 10), type: headers['content-type']!, headers, body: rest.join('\n\n') }
}

const stream = (events: readonly object[]): string =>
  events.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const begin = (usage?: object) => ({
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
    ...(usage && { usage }),
  },
})
const text = (words: string) => [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: words } },
  { type: 'content_block_stop', index: 0 },
]
const finish = (usage?: object, stop_reason = 'end_turn') => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, ...(usage && { usage }) },
  { type: 'message_stop' },
]
const message = (more: object) =>
  JSON.stringify({
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    stop_reason: 'end_turn',
    ...more,
  })
const good = stream([
  begin({ input_tokens: 100, output_tokens: 1 }),
  ...text('hello'),
  ...finish({ output_tokens: 10 }),
])
const json = 'application/json'
const events = 'text/event-stream'
const some = { input_tokens: 100, output_tokens: 10 }
const estimated = { usage_source: 'estimated' }

const cases: Record<string, Case> = {
  'file 200-error-body': { ...fileCase('200-error-body'), by: 'B', kind: 'OUT_OF_CREDIT' },
  'file 200-code-body': { ...fileCase('200-code-body'), by: 'B', kind: 'REAUTH_REQUIRED' },
  'file 400-no-credit': { ...fileCase('400-no-credit'), by: 'B', kind: 'OUT_OF_CREDIT' },
  'file 403-plan-used-up': { ...fileCase('403-plan-used-up'), by: 'B', kind: 'OUT_OF_CREDIT' },
  'file 413-small-mirror': { ...fileCase('413-small-mirror'), by: 'B', kind: 'READY' },
  'file 429-reset-in-the-past': { ...fileCase('429-reset-in-the-past'), by: 'B', kind: 'RATE_LIMITED' },
  'file all-zero-usage': {
    ...fileCase('all-zero-usage'),
    by: 'A',
    row: { ...estimated, output_tokens: 250 },
    flag: 'usage_missing',
  },
  'file no-usage': {
    ...fileCase('no-usage'),
    by: 'A',
    row: { ...estimated, output_tokens: 250 },
    flag: 'usage_missing',
  },
  'file input-zero-output-told': {
    ...fileCase('input-zero-output-told'),
    by: 'A',
    row: { ...estimated, output_tokens: 500 },
    flag: 'usage_missing',
  },
  'file empty-message': { ...fileCase('empty-message'), by: 'B' },
  'file sse-as-json': { ...fileCase('sse-as-json'), by: 'A', row: some },
  'file sse-as-text-plain': { ...fileCase('sse-as-text-plain'), by: 'A', row: some },

  'a JSON object that is no message': { status: 200, type: json, body: '{"ok":true}', by: 'B' },
  'a status within a 200': {
    status: 200,
    type: json,
    body: '{"status":429,"message":"slow"}',
    by: 'B',
    kind: 'RATE_LIMITED',
  },
  'an error in Anthropic’s shape within a 200': {
    status: 200,
    type: json,
    body: '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}',
    by: 'B',
  },
  'an HTML page': { status: 200, type: 'text/html', body: '<html>sign in</html>', by: 'B' },
  'an HTML page called a stream': { status: 200, type: events, body: '<html>sign in</html>', by: 'B' },
  'text called JSON': { status: 200, type: json, body: 'upstream busy', by: 'B' },
  'nothing at all': { status: 200, type: events, body: '', by: 'B' },
  'content without a message': { status: 200, type: events, body: stream([...text('x'), ...finish(some)]), by: 'B' },
  'an empty message without a stream': {
    status: 200,
    type: json,
    stream: false,
    body: message({ content: [] }),
    by: 'B',
  },
  'a refusal without content': {
    status: 200,
    type: events,
    body: stream([begin({ input_tokens: 0, output_tokens: 0 }), ...finish({ output_tokens: 0 }, 'refusal')]),
    by: 'A',
  },
  'an empty turn that was billed': {
    status: 200,
    type: events,
    body: stream([begin({ input_tokens: 7, output_tokens: 0 }), ...finish({ output_tokens: 2 })]),
    by: 'A',
    row: { input_tokens: 7, output_tokens: 2, usage_source: 'final' },
  },
  'a stream for a message': { status: 200, type: events, stream: false, body: good, by: 'A', row: some },
  'a stream called JSON for a message': { status: 200, type: json, stream: false, body: good, by: 'A', row: some },
  'a torn stream for a message': { status: 200, type: json, stream: false, body: good.slice(0, -60), by: 'B' },
  'a message for a stream': {
    status: 200,
    type: json,
    body: message({ content: [{ type: 'text', text: 'hello' }], usage: some }),
    by: 'A',
    row: { ...some, usage_source: 'final' },
  },
  'a message called a stream': {
    status: 200,
    type: events,
    body: message({ content: [{ type: 'text', text: 'hello' }], usage: some }),
    by: 'A',
    row: some,
  },
  'a message without usage': {
    status: 200,
    type: json,
    stream: false,
    body: message({ content: [{ type: 'text', text: 'w '.repeat(500) }] }),
    by: 'A',
    row: { ...estimated, output_tokens: 250 },
    flag: 'usage_missing',
  },
  'Chinese without usage': {
    status: 200,
    type: events,
    body: stream([begin(), ...text('余'.repeat(300)), ...finish()]),
    by: 'A',
    row: { ...estimated, output_tokens: 200 },
    flag: 'usage_missing',
  },
  'zeros at the end': {
    status: 200,
    type: events,
    body: stream([
      begin({ input_tokens: 100, output_tokens: 1, cache_read_input_tokens: 40 }),
      ...text('hello'),
      ...finish({ input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 10 }),
    ]),
    by: 'A',
    row: { ...some, cache_read_tokens: 40, usage_source: 'final' },
    flag: 'zeroed_later',
  },
  'a prompt that is reported twice': {
    status: 200,
    type: events,
    body: stream([
      begin({ input_tokens: 1000, output_tokens: 1 }),
      ...text('hello'),
      ...finish({ cache_read_input_tokens: 995, output_tokens: 10 }),
    ]),
    by: 'A',
    row: { input_tokens: 5, cache_read_tokens: 995, output_tokens: 10 },
    flag: 'prompt_reported_twice',
  },
  ...Object.fromEntries(
    [400, 404, 405, 406, 407, 408, 409, 415, 422, 423, 426, 431, 451, 499].map((status): [string, Case] => [
      `an HTML page with ${status}`,
      { status, type: 'text/html', body: `<html>${status}</html>`, by: 'B', kind: 'READY' },
    ]),
  ),
  'a 400 of another shape': { status: 400, type: json, body: '{"error":{"type":"invalid_request_error"}}', by: 'B' },
  'a challenge page': { status: 403, type: 'text/html', body: '<html>Just a moment...</html>', by: 'B', kind: 'READY' },
  'a 429 about this request': {
    status: 429,
    type: json,
    headers: { 'anthropic-ratelimit-unified-status': 'allowed_warning', 'retry-after': '9' },
    body: '{"type":"error","error":{"type":"rate_limit_error","message":"no"}}',
    by: 'B',
    kind: 'READY',
  },
}

let bad: FakeUpstream
let well: FakeUpstream
let relay: Watched
const names = Object.keys(cases)
const poolOf = (name: string): string => `case ${names.indexOf(name)}`.replace(' ', '-')

beforeAll(async () => {
  bad = await createFakeUpstream()
  well = await createFakeUpstream()
  const pools = names.map((name) => [
    poolOf(name),
    [
      { url: bad.url, priority: 1 },
      { url: well.url, priority: 2 },
    ],
  ])
  const alone = ['large', 'refused', 'unshaped', 'past'].map((name) => [name, [{ url: bad.url }]])
  relay = await startWatched(Object.fromEntries([...pools, ...alone]))
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  await bad.close()
  await well.close()
})

const scriptOf =
  ({ status, type, headers = {}, body }: Pick<Case, 'status' | 'type' | 'headers' | 'body'>): Script =>
  (exchange) =>
    exchange.respond(status, { ...headers, 'content-type': type }, body)

test('every file of the folder is a case', () => {
  const files = readdirSync(folder).map((name) => `file ${name.replace('.txt', '')}`)
  expect(names.filter((name) => name.startsWith('file ')).sort()).toEqual(files.sort())
})

test.each(names)('faults 14, 19, 28, 29: %s', async (name) => {
  const one = cases[name]!
  const asStream = one.stream ?? true
  bad.script(scriptOf(one))
  const before = well.requests.length
  const response = await relay.ask(poolOf(name), { body: { stream: asStream } })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain(asStream ? events : json)
  if (asStream) expect(response.text).toMatch(/event: message_start\n[\s\S]*event: message_stop\n/)
  else expect(JSON.parse(response.text)).toMatchObject({ type: 'message' })
  expect(response.text).not.toContain('event: error')
  expect(well.requests.length - before).toBe(one.by === 'B' ? 1 : 0)
  const row = (await relay.rows()).at(-1)!
  if (one.row) expect(row).toMatchObject(one.row)
  if (one.flag) expect(row['flags']).toContain(one.flag)
  if (one.flag === 'usage_missing') expect(Number(row['input_tokens'])).toBeGreaterThan(0)
  if (one.kind) expect((await relay.standing(poolOf(name))).name).toBe(one.kind)
})

test('fault 14: a 413 in no shape of its own, from every account, is a 413 in ours', async () => {
  bad.script(scriptOf(fileCase('413-small-mirror')))
  const response = await relay.ask('large')
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([413, 'false'])
  expect(JSON.parse(response.text)).toMatchObject({ type: 'error', error: { type: 'request_too_large' } })
  expect(response.text).not.toContain('nginx')
})

test('fault 15: a request that every account refuses is told so in the vendor’s own sentence, and nobody rests', async () => {
  const sentence = 'Extra usage is required for long context requests.'
  const body = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: sentence } })
  bad.script(scriptOf({ status: 429, type: json, body }))
  const response = await relay.ask('refused')
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'false'])
  expect(JSON.parse(response.text).error).toEqual({ type: 'rate_limit_error', message: sentence })
  expect((await relay.standing('refused')).name).toBe('READY')
})

test('fault 14: a 4xx of another shape from the only account is ours to explain', async () => {
  bad.script(scriptOf({ status: 400, type: json, body: '{"detail":"no"}' }))
  expect((await relay.ask('unshaped')).status).toBe(529)
})

test('fault 15: a reset in the past backs off, for half a minute at least', async () => {
  const fromMs = Date.now()
  bad.script(scriptOf(fileCase('429-reset-in-the-past')))
  expect((await relay.ask('past')).status).toBe(529)
  const { until } = await relay.standing('past')
  expect(Date.parse(until!) - fromMs).toBeGreaterThanOrEqual(29_000)
})
