import { expect, test } from 'vitest'
import { inspect } from '../../server/relay/request/inspect.ts'
import { anthropicFormat } from '../../server/upstreams/formats/anthropic/anthropic.ts'

const read = (text: string) => inspect(Buffer.from(text), anthropicFormat.request)
const problemOf = (text: string): string => {
  const found = read(text)
  return 'code' in found ? `${found.status} ${found.message}` : 'none'
}

test('model, stream, max_tokens, metadata and the first message are found at depth 1 only', () => {
  const text =
    '{"tools":[{"input_schema":{"properties":{"model":{"type":"string"},"stream":true}}}],' +
    '"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}],"metadata":{"user_id":"u"},' +
    '"max_tokens":7,"model":"claude-opus-5-5","stream":true}'
  const found = read(text)
  if ('code' in found) throw new Error(found.message)
  expect(found).toMatchObject({ model: 'claude-opus-5-5', stream: true, maxTokens: 7, hasTags: false })
  const at = (span: { start: number; end: number } | undefined) => span && text.slice(span.start, span.end)
  expect(at(found.modelSpan)).toBe('"claude-opus-5-5"')
  expect(at(found.conversation)).toBe('{"user_id":"u"}')
  expect(at(found.firstMessage)).toBe('{"role":"user","content":"a"}')
})

test('what JSON.parse would take for model and stream is taken: escapes, null for absent', () => {
  expect(read('{"model":"b\\u0063"}')).toMatchObject({ model: 'bc' })
  expect(read('{"mod\\u0065l":"a"}')).toMatchObject({ model: 'a' })
  expect(read('{"model":"a","stream":null}')).toMatchObject({ stream: false })
})

test.each([
  ['{"model":"a","model":"b"}', 'model'],
  ['{"model":"a","mod\\u0065l":"a"}', 'model'],
  ['{"model":"a","Model":"b"}', 'model'],
  ['{"MODEL":"b","model":"a"}', 'model'],
  ['{"\\u004dodel":"b","model":"a"}', 'model'],
  ['{"model":"a","stream":true,"stream":false}', 'stream'],
  ['{"model":"a","stream":true,"ſtream":false}', 'stream'],
  ['{"model":"a","\\u017ftrea\\u004d":false}', 'stream'],
])('%s is refused: upstreams differ in which of the two they read', (text, name) => {
  expect(problemOf(text)).toBe(`400 ${name}: occurs twice in the body, or also in capital letters.`)
})

test('duplicates of other members, and longer names, are no business of the relay', () => {
  for (const more of ['"max_tokens":1,"max_tokens":2', '"Messages":[]', '"modelx":1', '"mode":1', '"streams":true'])
    expect(read(`{"model":"a",${more}}`)).toMatchObject({ model: 'a' })
})

test('fault 1: a body without a usable model or stream is a failure that names the field', () => {
  expect(problemOf('{}')).toBe('400 model: field required.')
  for (const model of ['null', '1', '""', '{}', '[]', 'true', '"\\q"']) {
    expect(problemOf(`{"model":${model}}`)).toBe('400 model: must be a non-empty string.')
  }
  expect(problemOf(`{"model":"${'m'.repeat(192)}"}`)).toBe('400 model: longer than 191 characters.')
  expect(problemOf('{"model":"a\\u0000"}')).toBe('400 model: must not contain control characters.')
  for (const stream of ['1', '"true"', '{}', 'yes']) {
    expect(problemOf(`{"model":"m","stream":${stream}}`)).toBe('400 stream: must be true or false.')
  }
})

test('fault 2: a strange max_tokens is the business of the upstream, and no number to count with here', () => {
  for (const value of ['-1', '"9"', 'null', '{}', '01', '1e999']) {
    const found = read(`{"model":"m","max_tokens":${value}}`)
    expect(found).toMatchObject({ model: 'm' })
    expect('maxTokens' in found && found.maxTokens).toBeUndefined()
  }
  expect(read('{"model":"m","max_tokens":0}')).toMatchObject({ maxTokens: 0 })
})

test.each([
  ['ten thousand arrays', '['.repeat(10_000) + ']'.repeat(10_000)],
  ['ten thousand objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['ten thousand levels that never close', '{"a":['.repeat(10_000)],
])('fault 2: %s hold the event loop for less than 50 ms', (_name, deep) => {
  const body = Buffer.from(`{"model":"m","messages":${deep}}`)
  // The best of three: what other processes of the machine take is not ours.
  const tookMs = [1, 2, 3].map(() => {
    const startedMs = performance.now()
    const found = inspect(body, anthropicFormat.request)
    expect('code' in found && found.status).toBe(400)
    return performance.now() - startedMs
  })
  expect(Math.min(...tookMs)).toBeLessThan(50)
})
