import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createModelList, createModelMapping } from '../server/model-patterns.ts'

test('a list allows the names it holds and what its wildcards cover, in any letter case', () => {
  const list = createModelList(['claude-opus-5-5', 'Claude-Haiku-*', '*-mini', 'a*b*c'])
  const allowed = [
    'claude-opus-5-5',
    'CLAUDE-OPUS-5-5',
    'claude-haiku-',
    'claude-haiku-5-5',
    'gpt-6-MINI',
    'abc',
    'a-b-bc',
  ]
  const refused = ['claude-opus-5', 'claude-opus-5-5-20260101', 'xclaude-haiku-5', 'gpt-6-mini-high', 'ac', 'acb', '']
  expect(allowed.filter((model) => !list.allows(model))).toEqual([])
  expect(refused.filter((model) => list.allows(model))).toEqual([])
  expect(list).toMatchObject({ names: ['claude-opus-5-5'], everything: false })
})

test('an empty list and * allow everything', () => {
  for (const patterns of [[], ['*'], ['claude-opus-5-5', '*']]) {
    const list = createModelList(patterns)
    expect(list.everything).toBe(true)
    expect(list.allows('anything at all')).toBe(true)
  }
})

test('characters that mean something to regular expressions mean themselves', () => {
  expect(createModelList(['a.b']).allows('axb')).toBe(false)
  expect(createModelList(['a.*']).allows('axb')).toBe(false)
  expect(createModelList(['model(1)+[x]*']).allows('model(1)+[x]-large')).toBe(true)
  expect(createModelList(['*|gpt*']).allows('gpt-6')).toBe(false)
})

test('wildcards agree with the regular expression they stand for', () => {
  const letters = fc.constantFrom('a', 'b', '*', '-')
  fc.assert(
    fc.property(
      fc.string({ unit: letters, maxLength: 8, minLength: 1 }),
      fc.string({ unit: letters }),
      (pattern, name) => {
        const expected = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(name)
        expect(createModelList([pattern]).allows(name)).toBe(expected)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a name made to be slow to compare is compared at once', () => {
  const list = createModelList(['*a*a*a*a*a*a*a*a*b'])
  const before = performance.now()
  expect(list.allows('a'.repeat(4096))).toBe(false)
  expect(performance.now() - before).toBeLessThan(50)
})

test('a mapping sends the target of the first pattern that fits, else the very same string', () => {
  const mapping = createModelMapping({ 'claude-opus-5-5': 'glm-5', 'claude-*': 'qwen-max', '*': 'other' })
  expect(mapping.map('Claude-Opus-5-5')).toBe('glm-5')
  expect(mapping.map('claude-haiku-5-5')).toBe('qwen-max')
  expect(mapping.map('gpt-6')).toBe('other')
  expect(mapping.names).toEqual(['claude-opus-5-5'])
  expect(createModelMapping({}).map('Claude-X')).toBe('Claude-X')
  expect(createModelMapping({ 'gpt-*': 'x' }).map('Claude-X')).toBe('Claude-X')
})

test('names of Object.prototype are names like any other', () => {
  expect(createModelMapping({}).map('constructor')).toBe('constructor')
  expect(createModelList(['x']).allows('__proto__')).toBe(false)
})
