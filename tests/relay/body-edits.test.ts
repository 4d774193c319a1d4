import { expect, test } from 'vitest'
import { findMembers } from '../../server/json/members.ts'
import { withModel, withoutTags } from '../../server/relay/request/body-edits.ts'

const without = (text: string): string => withoutTags(Buffer.from(text)).toString()

test.each([
  ['in the middle', '{"a":1, "tags" : {"x":"}"} ,"b":2}', '{"a":1, "b":2}'],
  ['first', '{ "tags":{"a":1},"b":2}', '{ "b":2}'],
  ['last', '{"a":1 ,\n "tags":null }', '{"a":1  }'],
  ['alone', '{"tags":[]}', '{}'],
  ['alone with space', ' { "tags" : "x" } ', ' {  } '],
  ['several times', '{"tags":1,"a":2,"tags":{"b":[1]},"tags":3}', '{"a":2}'],
  ['spelled with escapes', '{"a":1,"t\\u0061gs":{"x":1}}', '{"a":1}'],
  ['with colons and quotes inside', '{"tags":{"a:\\"":"\\":,"},"b":":"}', '{"b":":"}'],
  ['behind a key with quotes', '{"x\\"":":","tags":1}', '{"x\\"":":"}'],
])('tags %s are cut, and nothing else', (_where, text, wanted) => {
  expect(without(text)).toBe(wanted)
  const expected = JSON.parse(text) as Record<string, unknown>
  delete expected['tags']
  expect(JSON.parse(wanted)).toEqual(expected)
})

test.each(['{"a":{"tags":1}}', '{"a":["tags"],"b":"tags"}', '{}', '{"messages":[{"tags":1}]}', 'not json', '{"tags":'])(
  'a body without tags of its own stays the same bytes: %s',
  (text) => {
    expect(without(text)).toBe(text)
  },
)

test('the model is replaced where it stands, whatever surrounds it and whatever the new name is', () => {
  for (const name of ['short', 'x'.repeat(190), 'with "quotes" \\ and é 🙂']) {
    for (const [before, after] of [
      ['{"model": ', ' , "stream":true,"é":1.0}'],
      ['{"tools":[{"model":"inner"}],"model":', '}'],
      ['\n{"a":"\\"model\\":1","model"\t:\r\n', '\n}\n'],
    ]) {
      const body = Buffer.from(`${before}"claude-\\u0078"${after}`)
      const members = findMembers(body, ['model'])
      if (!members.ok) throw new Error(members.problem)
      expect(withModel(body, members.spans[0]!, name).toString()).toBe(`${before}${JSON.stringify(name)}${after}`)
    }
  }
})
