import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findMembers, itemsOf, maxNesting, parseSpan, replaceSpan } from '../../server/json/members.ts'
import { jsonObjectText, mutated } from './json-texts.ts'

const names = ['model', 'stream', 'metadata', 'messages']

function find(text: string, itemsOf?: string) {
  const bytes = Buffer.from(text)
  const found = findMembers(bytes, names, itemsOf)
  if (!found.ok) return { problem: found.problem }
  const values = found.spans.map((span) => span && bytes.toString('utf8', span.start, span.end))
  const first = found.firstItem && bytes.toString('utf8', found.firstItem.start, found.firstItem.end)
  return { values, first }
}

test('members are found at depth 1, whatever tools and texts contain', () => {
  const text = JSON.stringify({
    tools: [{ input_schema: { properties: { model: { type: 'string' }, stream: { default: 'no' } } } }],
    system: 'say "model": "x", } ] { [ and \\ and \\" and "stream": true',
    model: 'claude-opus-5-5',
    messages: [{ role: 'user', content: '{"model":"inner","metadata":{}}' }],
    stream: true,
  })
  expect(find(text).values).toEqual([
    '"claude-opus-5-5"',
    'true',
    undefined,
    '[{"role":"user","content":"{\\"model\\":\\"inner\\",\\"metadata\\":{}}"}]',
  ])
})

test('the last duplicate wins, as with JSON.parse', () => {
  expect(find('{"model":"a","model":{"model":1},"model":"c"}').values?.[0]).toBe('"c"')
})

test('keys written with escapes are read as JSON.parse reads them', () => {
  expect(find('{"mod\\u0065l":1,"\\u0073tream":2,"m\\etadata":3,"model\\u0000":4,"mode\\u006":5}').values).toEqual([
    '1',
    '2',
    undefined,
    undefined,
  ])
  expect(find('{"model\\"":1,"\\"model":2,"xmodel":3,"mode":4,"models":5}').values?.[0]).toBeUndefined()
})

test('white space is what JSON.parse takes for it', () => {
  expect(find(' \t\r\n{ \n"model"\t:\r1 , "stream" : [ ] }\n ').values?.slice(0, 2)).toEqual(['1', '[ ]'])
  expect(find('\ufeff{"model":1}').problem).toMatch(/byte 0$/)
  expect(find('{"model":1}\u00a0').problem).toMatch(/follows the object/)
})

test.each([
  ['', 'not a JSON object: no { at byte 0'],
  ['  [1]', 'not a JSON object: no { at byte 2'],
  ['"model"', 'not a JSON object: no { at byte 0'],
  ['{', 'no key where one must be, at byte 1'],
  ['{"model"}', 'a key without a value at byte 1'],
  ['{"model":}', 'no value where one must be, at byte 9'],
  ['{"model":', 'no value where one must be, at byte 9'],
  ['{"model":1', 'the object is not closed, at byte 10'],
  ['{"model":1,', 'no key where one must be, at byte 11'],
  ['{"model":1,}', 'no key after the comma before byte 11'],
  ['{,"model":1}', 'no key where one must be, at byte 1'],
  ['{model:1}', 'no key where one must be, at byte 1'],
  ['{"model":1 2}', 'neither a comma nor a closing } after a value, at byte 11'],
  ['{"model":1]', 'neither a comma nor a closing } after a value, at byte 10'],
  ['{"model":"abc', 'a string that is not closed, opened at byte 9'],
  ['{"model":"abc\\"}', 'a string that is not closed, opened at byte 9'],
  ['{"a":[{]}}', 'a closing bracket of the wrong kind, at byte 7'],
  ['{"a":[{"b":1}', 'the input ends inside the value opened at byte 5'],
  ['{"a":{"b":"c', 'a string that is not closed, opened at byte 10'],
  ['{"a":1}{', 'something follows the object, at byte 7'],
])('%j is refused with: %s', (text, problem) => {
  expect(find(text).problem).toBe(problem)
  expect(isJsonObject(text)).toBe(false)
})

function isJsonObject(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}

test('every truncation of a body is refused', () => {
  const body = Buffer.from('{"model":"x\\\\\\"","messages":[{"a":[1,{"b":"é😀"}]}],"stream":true}')
  expect(findMembers(body, names).ok).toBe(true)
  for (let end = 0; end < body.length; end++) expect(findMembers(body.subarray(0, end), names).ok).toBe(false)
})

test('a problem quotes nothing of the body', () => {
  expect(find('{"secret-word":"sk-secret').problem).not.toMatch(/secret/)
})

test('the first message is found when asked for', () => {
  const text = '{"messages":[ {"role":"user","content":[1,"]"]} , {"x":2}],"model":"m"}'
  expect(find(text, 'messages')).toEqual({
    values: ['"m"', undefined, undefined, '[ {"role":"user","content":[1,"]"]} , {"x":2}]'],
    first: '{"role":"user","content":[1,"]"]}',
  })
  expect(find('{"messages":["only"]}', 'messages').first).toBe('"only"')
  expect(find('{"messages":[ ]}', 'messages')).toMatchObject({ first: undefined })
  expect(find('{"messages":[1],"messages":"x"}', 'messages').first).toBeUndefined()
  expect(find('{"messages":[1],"messages":[]}', 'messages').first).toBeUndefined()
  expect(find('{"messages":[1]}').first).toBeUndefined()
  expect(find('{"messages":[{]}', 'messages').problem).toMatch(/wrong kind/)
  expect(find('{"messages":[,1]}', 'messages').problem).toMatch(/no value/)
})

test('nesting to the limit is read, deeper is refused, and a million levels cost nothing', () => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
  expect(find(nested(maxNesting - 1)).problem).toBeUndefined()
  expect(find(nested(maxNesting)).problem).toMatch(/nested deeper than 2000 levels, at byte 2004$/)
  const started = performance.now()
  expect(find(`{"messages":${'[{"a":'.repeat(1_000_000)}`, 'messages').problem).toMatch(/nested deeper/)
  expect(performance.now() - started).toBeLessThan(500)
})

test('hostile strings cost linear time', () => {
  const started = performance.now()
  for (const piece of ['\\"', '\\\\', '\\u0022', '\\\\\\"']) {
    expect(find(`{"model":"${piece.repeat(1_000_000)}"}`).values?.[0]).toHaveLength(piece.length * 1_000_000 + 2)
    expect(find(`{"${piece.repeat(1_000_000)}":1}`).values?.[0]).toBeUndefined()
  }
  // A quadratic search would take minutes.
  expect(performance.now() - started).toBeLessThan(2_000)
})

test('a span is parsed, or undefined when it is no JSON', () => {
  const bytes = Buffer.from('{"model":"é\\n","stream":tru}')
  const found = findMembers(bytes, names)
  if (!found.ok) throw new Error(found.problem)
  expect(parseSpan(bytes, found.spans[0]!)).toBe('é\n')
  expect(parseSpan(bytes, found.spans[1]!)).toBeUndefined()
})

test('a mapped name replaces its own bytes and no other', () => {
  const bytes = Buffer.from('{"a":"é", "model" : "claude" ,"n":12345678901234567890, "n":1}\n')
  const found = findMembers(bytes, ['model'])
  if (!found.ok) throw new Error(found.problem)
  const out = replaceSpan(bytes, found.spans[0]!, 'glm-"5" é😀')
  expect(out.toString()).toBe('{"a":"é", "model" : "glm-\\"5\\" é😀" ,"n":12345678901234567890, "n":1}\n')
  expect(bytes.toString()).toContain('"claude"')
})

test('what JSON.parse accepts is found with the same last values', () => {
  fc.assert(
    fc.property(jsonObjectText(names), (text) => {
      const bytes = Buffer.from(text)
      const parsed = JSON.parse(bytes.toString()) as Record<string, unknown>
      const found = findMembers(bytes, names, 'messages')
      if (!found.ok) throw new Error(found.problem)
      names.forEach((name, index) => {
        const span = found.spans[index]
        expect(span !== undefined).toBe(Object.hasOwn(parsed, name))
        if (span) expect(parseSpan(bytes, span)).toEqual(parsed[name])
      })
      const list = parsed['messages']
      const first = Array.isArray(list) ? (list as unknown[])[0] : undefined
      expect(found.firstItem && parseSpan(bytes, found.firstItem)).toEqual(first)
    }),
    { numRuns: 2_000 },
  )
})

test('whatever is refused JSON.parse refuses too, and the rest is read the same way', () => {
  fc.assert(
    fc.property(mutated(jsonObjectText(names)), (bytes) => {
      let parsed: unknown
      try {
        parsed = JSON.parse(bytes.toString())
      } catch {
        return
      }
      const found = findMembers(bytes, names)
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
        expect(found.ok).toBe(false)
        return
      }
      if (!found.ok) throw new Error(`${found.problem} in ${bytes.toString()}`)
      for (const [index, span] of found.spans.entries()) {
        expect(span && parseSpan(bytes, span)).toEqual((parsed as Record<string, unknown>)[names[index]!])
      }
    }),
    { numRuns: 5_000 },
  )
})

test('the last item of a list is found among items of every kind, and only directly in the list', () => {
  const last = (text: string) => {
    const bytes = Buffer.from(text)
    const found = findMembers(bytes, names, 'messages')
    return found.ok && found.lastItem
      ? bytes.toString('utf8', found.lastItem.start, found.lastItem.end).trim()
      : undefined
  }
  expect(last('{"messages":[{"a":1}]}')).toBe('{"a":1}')
  expect(last('{"messages":[ {"a":[1]} , {"b":{"c":[{"d":"]}"}]}} ]}')).toBe('{"b":{"c":[{"d":"]}"}]}}')
  expect(last('{"messages":[{"a":1}],"tools":[{"x":1}]}')).toBe('{"a":1}')
  expect(last('{"messages":[{"a":1}],"messages":[{"b":1},{"c":1}]}')).toBe('{"c":1}')
  expect(last('{"messages":[{"a":1}],"messages":[]}')).toBeUndefined()
  expect(last('{"messages":[{"a":1}],"messages":"x"}')).toBeUndefined()
  expect(last('{"model":"m"}')).toBeUndefined()
})

test('the items of a list are what JSON.parse finds in it', () => {
  const read = (text: string) => {
    const bytes = Buffer.from(text)
    return [...itemsOf(bytes, { start: 0, end: bytes.length })].map((span) => parseSpan(bytes, span))
  }
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.boolean(), (list, spaced) => {
      expect(read(JSON.stringify(list, null, spaced ? 2 : 0))).toEqual(JSON.parse(JSON.stringify(list)))
    }),
  )
  for (const text of ['', '{}', '"x"', '[', '[,', ']']) expect(read(text)).toEqual([])
  expect(read('[1,2')).toEqual([1, 2])
})
