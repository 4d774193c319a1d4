import { expect, test } from 'vitest'
import { filesIn, readText } from './sources.ts'

/** Ingress, upstream, client; GraphQL; found since. Further numbers of the list come with what they are about. */
const named = [...Array.from({ length: 34 }, (_, index) => index + 1), 47, 48, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59]

test('every fault is named by its number in the name of a test', () => {
  const texts = filesIn('tests')
    .filter((path) => path.endsWith('.ts') && path !== 'tests/house/faults.test.ts')
    .map(readText)
    .join('\n')
  // In the name itself, or in the table that names are made of.
  const missing = named.filter((number) => !new RegExp(`['"\`]fault ${number}[:,]|\\bnumber: ${number},`).test(texts))
  expect(missing).toEqual([])
})
