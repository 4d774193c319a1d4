import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findMembers } from '../../server/json/members.ts'
import { upstreamBody, withoutSpans } from '../../server/relay/request/body-edits.ts'
import { countMessages, markedReasoning, reasoningBefore } from '../../server/relay/request/foreign-reasoning.ts'
import { jsonObjectText, mutated } from '../json/json-texts.ts'

const cut = (text: string, before = Number.POSITIVE_INFINITY): string =>
  withoutSpans(Buffer.from(text), reasoningBefore(Buffer.from(text), before)).toString()

const thinking = '{"type":"thinking","thinking":"t","signature":"s"}'
const redacted = '{ "type" : "redacted_thinking", "data":"d" }'
const said = '{"type":"text","text":"a"}'
const call = '{"type":"tool_use","id":"1","name":"n","input":{"n":12345678901234567890}}'
const result = '{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"r"}]}'
const asks = '{"role":"user","content":"q"}'
const of = (...blocks: string[]) => `{"role":"assistant","content":[${blocks.join(',')}]}`
const body = (...messages: string[]) => `{"model":"m","messages":[${messages.join(',')}],"stream":true}`

test.each([
  ['before a text', body(asks, of(thinking, said), asks), body(asks, of(said), asks)],
  [
    'between others',
    body(asks, of(said, thinking, redacted, call), result, asks),
    body(asks, of(said, call), result, asks),
  ],
  ['at the end', body(asks, of(said, redacted), asks), body(asks, of(said), asks)],
  ['as all there is', body(asks, of(thinking, redacted), asks), body(asks, asks)],
  ['at the very beginning', body(of(thinking), asks), body(asks)],
  [
    'in several turns',
    body(asks, of(thinking, said), asks, of(redacted, said), asks),
    body(asks, of(said), asks, of(said), asks),
  ],
  [
    'in an earlier loop of tools',
    body(asks, of(thinking, call), result, of(thinking, said), asks),
    body(asks, of(call), result, of(said), asks),
  ],
])('reasoning %s is cut, and nothing else', (_where, text, wanted) => {
  expect(cut(text)).toBe(wanted)
})

test.each([
  ['of the turn under way', body(asks, of(thinking, call), result)],
  ['of the message that the answer goes on from', body(asks, of(thinking, said))],
  ['that a person quotes', body('{"role":"user","content":[{"type":"thinking"}]}', asks)],
  ['that is only text', body(asks, '{"role":"assistant","content":"{\\"type\\":\\"thinking\\"}"}', asks)],
  ['inside the input of a tool', body(asks, of('{"type":"tool_use","input":{"content":[{"type":"thinking"}]}}'), asks)],
  ['in a body that is none', '{"messages":[{"role":"assistant","content":[{"type":"thinking"}]},'],
  ['of nobody', '{"messages":{"role":"assistant"}}'],
])('reasoning %s stays the same bytes', (_what, text) => {
  expect(cut(text)).toBe(text)
})

test('what the account signed itself since the conversation came to it stays', () => {
  const text = body(asks, of(thinking, said), asks, of(thinking, said), asks)
  expect(cut(text, 3)).toBe(body(asks, of(said), asks, of(thinking, said), asks))
  expect(cut(text, 0)).toBe(text)
  expect(countMessages(Buffer.from(text))).toBe(5)
})

test('together with a mapped model and dropped tags each edit stands where it belongs', () => {
  const messages = `[${asks},${of(thinking, said)},${asks}]`
  const without = `[${asks},${of(said)},${asks}]`
  for (const [text, wanted] of [
    [`{"model":"claude-x","messages":${messages},"tags":1}`, `{"model":"glm","messages":${without}}`],
    [`{"tags":1,"messages":${messages}, "model" : "claude-x"}`, `{"messages":${without}, "model" : "glm"}`],
  ]) {
    const bytes = Buffer.from(text!)
    const members = findMembers(bytes, ['model'])
    if (!members.ok) throw new Error(members.problem)
    const model = { span: members.spans[0]!, from: 'claude-x', to: 'glm' }
    expect(upstreamBody(bytes, model, true, Number.POSITIVE_INFINITY).toString()).toBe(wanted)
    // Nothing to edit: the very bytes that came.
    expect(upstreamBody(bytes, { ...model, to: 'claude-x' }, false, 0)).toBe(bytes)
  }
})

// ── the oracle: JSON.parse ──────────────────────────────────────────────────────────────────────────────────────────

const space = fc.constantFrom('', '', ' ', '\n', '\t ', '\r\n')
/** A string as JSON text, some of its characters as escapes. */
const quoted = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((escapes) =>
      text
        .split('')
        .map((letter, at) => (escapes[at] ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter))
        .join(''),
    )
    .map((text) => `"${text}"`)

type Text = fc.Arbitrary<string>
const joined = (...parts: (Text | string)[]): Text =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((texts) => texts.join(''))
const member = (name: string, value: Text): Text => joined(space, quoted(name), space, ':', space, value, space)
const object = (members: fc.Arbitrary<string[]>): Text => members.map((texts) => `{${texts.join(',')}}`)
const list = (items: Text, most: number): Text =>
  fc.array(joined(space, items, space), { maxLength: most }).map((texts) => `[${texts.join(',')}]`)

const types = ['thinking', 'redacted_thinking', 'text', 'tool_use', 'tool_result']
/** Numbers that JSON.parse cannot keep, keys that come twice, brackets and quotes in texts. */
const extra = fc.oneof(
  member('n', fc.constantFrom('12345678901234567890', '1.0', '-0', '1e5')),
  member('text', fc.constantFrom('"]},{\\"type\\":\\"thinking\\""', '"é 🙂 \\\\"')),
  member('content', fc.constantFrom('[{"type":"thinking"}]', '{"role":"user"}', 'null')),
)
const block = fc.oneof(
  {
    weight: 8,
    arbitrary: object(
      fc
        .tuple(fc.array(extra, { maxLength: 2 }), fc.constantFrom(...types), fc.constantFrom(...types), fc.boolean())
        .chain(([extras, type, other, twice]) =>
          fc
            .tuple(member('type', quoted(type)), member('type', quoted(other)))
            .map(([one, two]) => (twice ? [two, ...extras, one] : [...extras, one])),
        ),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('5', 'null', '"thinking"', '[]', '{}', '{"type":7}') },
)
const content = fc.oneof(
  { weight: 6, arbitrary: list(block, 4) },
  { weight: 2, arbitrary: fc.constantFrom('"text"', 'null', '{}') },
)
const message = fc.oneof(
  {
    weight: 9,
    arbitrary: object(
      fc
        .tuple(
          fc.constantFrom('user', 'assistant', 'assistant', 'system'),
          fc.boolean(),
          fc.array(extra, { maxLength: 1 }),
        )
        .chain(([role, first, extras]) =>
          fc
            .tuple(member('role', quoted(role)), member('content', content))
            .map(([one, two]) => (first ? [one, ...extras, two] : [...extras, two, one])),
        ),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('5', '{}', '[]', '{"role":"user"}', '{"content":[]}') },
)
const bodies = object(
  fc
    .tuple(
      member('model', fc.constant('"m"')),
      member('messages', list(message, 6)),
      fc.array(extra, { maxLength: 2 }),
      fc.boolean(),
    )
    .map(([model, messages, extras, first]) => (first ? [messages, ...extras, model] : [model, ...extras, messages])),
)

// biome-ignore lint/suspicious/noExplicitAny: whatever JSON.parse finds
type Any = any
const isObject = (value: Any): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const typeOf = (value: Any): unknown => (isObject(value) ? value.type : undefined)
const beginsTurn = (value: Any): boolean =>
  isObject(value) &&
  value.role === 'user' &&
  value.content !== undefined &&
  !(Array.isArray(value.content) && value.content.some((one: Any) => typeOf(one) === 'tool_result'))

function expected(text: string, before: number): unknown {
  const parsed = JSON.parse(text) as Any
  const turnAt = parsed.messages.findLastIndex(beginsTurn)
  parsed.messages = parsed.messages.flatMap((one: Any, index: number) => {
    if (index >= Math.min(before, turnAt) || !isObject(one) || one.role !== 'assistant' || !Array.isArray(one.content))
      return [one]
    const kept = one.content.filter((item: Any) => !/^(redacted_)?thinking$/.test(String(typeOf(item))))
    return kept.length === 0 && one.content.length > 0 ? [] : [{ ...one, content: kept }]
  })
  return parsed
}

test('for any body what is left reads as JSON.parse without those blocks, and is what came with pieces taken out', () => {
  fc.assert(
    fc.property(bodies, fc.oneof(fc.nat(6), fc.constant(Number.POSITIVE_INFINITY)), (text, before) => {
      const bytes = Buffer.from(text)
      const spans = reasoningBefore(bytes, before)
      const out = withoutSpans(bytes, spans)
      expect(JSON.parse(out.toString())).toEqual(expected(text, before))
      // Spans in order and apart; what is between them is the bytes that came.
      let at = 0
      for (const { start, end } of spans) {
        expect(start).toBeGreaterThanOrEqual(at)
        expect(end).toBeGreaterThan(start)
        at = end
      }
      expect(at).toBeLessThanOrEqual(bytes.length)
      // Twice is once.
      const again = Buffer.from(out)
      if (before === Number.POSITIVE_INFINITY)
        expect(withoutSpans(again, reasoningBefore(again, before)).equals(out)).toBe(true)
    }),
    { numRuns: 3000 },
  )
})

test('nothing that is no JSON, or no request, makes it throw or cut outside of the bytes', () => {
  fc.assert(
    fc.property(
      fc.oneof(mutated(bodies), mutated(jsonObjectText(['messages', 'role', 'content', 'type']))),
      (bytes) => {
        for (const { start, end } of reasoningBefore(bytes, Number.POSITIVE_INFINITY)) {
          expect(start).toBeGreaterThanOrEqual(0)
          expect(end).toBeLessThanOrEqual(bytes.length)
          expect(end).toBeGreaterThan(start)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('reasoning that the relay marked is cut for an upstream of Anthropic, and no other byte', () => {
  const own = '{"type":"thinking","thinking":"Hm","signature":"relay-reasoning:7:SEALED"}'
  const theirs = '{"type":"thinking","thinking":"Hm","signature":"EqAB"}'
  const text = '{"type":"text","text":"a \\"relay-reasoning:7:\\" b"}'
  const body = (blocks: string, more = '') =>
    Buffer.from(
      `{"model":"m","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[${blocks}]}${more}]}`,
    )
  const cut = (bytes: Buffer) => withoutSpans(bytes, markedReasoning(bytes)).toString()
  expect(cut(body(`${own},${theirs},${text}`))).toBe(body(`${theirs},${text}`).toString())
  expect(cut(body(`${text},${own}`, ',{"role":"user","content":"Go on"}'))).toBe(
    body(text, ',{"role":"user","content":"Go on"}').toString(),
  )
  expect(cut(body(own))).toBe('{"model":"m","messages":[{"role":"user","content":"Hi"}]}')
  expect(cut(body(`${theirs},${text}`))).toBe(body(`${theirs},${text}`).toString())
  const only = Buffer.from(`{"messages":[{"role":"assistant","content":[${own}]}]}`)
  expect(cut(only)).toBe(only.toString())
})
