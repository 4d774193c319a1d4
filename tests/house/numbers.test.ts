import { expect, test } from 'vitest'
import { filesIn, readText } from './sources.ts'

/** Titles that begin with numbers: `fault 32, client point 16: …`. */
const heads = filesIn('tests')
  .filter((path) => path.endsWith('.test.ts') && !path.startsWith('tests/house/'))
  .flatMap((path) => [...readText(path).matchAll(/['"`]((?:fault|client point)[^:'"`]*\d): /g)])
  .map(([, head]) => head ?? '')

function namedAs(kind: 'fault' | 'client point'): Set<number> {
  const lists = heads.flatMap((head) => [...head.matchAll(new RegExp(`${kind}s? (\\d+(?:(?:, | and )\\d+)*)`, 'g'))])
  return new Set(lists.flatMap(([, list]) => list?.match(/\d+/g) ?? []).map(Number))
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

test('each of the eighteen things that real clients need has a test with its number', () => {
  const found = namedAs('client point')
  expect(upTo(18).filter((number) => !found.has(number))).toEqual([])
})

test('each fault of clients and of the management door has a test with its number', () => {
  const found = namedAs('fault')
  expect([...upTo(12), ...upTo(34, 32), 45, 47, 48].filter((number) => !found.has(number))).toEqual([])
})
