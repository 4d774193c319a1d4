import { expect, test } from 'vitest'
import { createAnswerTexts } from '../../server/graphql/server/answer-texts.ts'

const message = (id: string, payload: unknown) => JSON.stringify({ id, type: 'next', payload })

test('an answer for many is written once, and each message holds its own', () => {
  const { standIn, inPlace } = createAnswerTexts()
  let writings = 0
  const toJSON = () => {
    writings++
    return { n: 1 }
  }
  const one = { data: { n: 1, toJSON } }
  const two = { data: { n: 2 } }
  // Both are asked for before either is written.
  const [first, second] = [standIn(one), standIn(two)]
  expect(inPlace(message('a', first))).toBe(message('a', { data: { n: 1 } }))
  expect(inPlace(message('b', second))).toBe(message('b', two))
  expect(inPlace(message('c', standIn(one)))).toBe(message('c', { data: { n: 1 } }))
  expect(writings).toBe(1)
})

test('answers with errors and all other messages stay as they are', () => {
  const { standIn, inPlace } = createAnswerTexts()
  expect(standIn({ data: null, errors: [] })).toBeUndefined()
  for (const text of ['{"type":"pong"}', message('a', { data: '"payload":"x"}' })]) expect(inPlace(text)).toBe(text)
})
