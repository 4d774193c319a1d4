import { expect, test } from 'vitest'
import { boundLines, firstByteTable, memoryLines, quotient } from '../../bench/bounds.ts'
import type { Turn } from '../../bench/turns.ts'

const totals = {
  finished: 1,
  inputTokens: 0,
  outputTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
  requestBytes: 0,
  responseBytes: 0,
  bad: 0,
}

const turn = (round: number, contender: string, cpuUs: number, isSingle = false): Turn => ({
  round,
  contender,
  workload: 'w1',
  isSingle,
  connections: isSingle ? 1 : 32,
  cpuUs,
  perSecond: 1,
  busy: 1,
  firstByteMs: { p50: cpuUs / 1000, p99: cpuUs / 100 },
  finished: 1,
  totals,
  faults: [],
})

/** The machine is half as fast in the second round, and in the third only one of the two is slowed down. */
const turns = [
  turn(1, 'bare', 80),
  turn(1, 'relay', 100),
  turn(2, 'relay', 200),
  turn(2, 'bare', 160),
  turn(3, 'bare', 81),
  turn(3, 'relay', 150),
  turn(3, 'nginx', 160),
]

test('a quotient is the median of the rounds, each against itself, whatever the order in it', () => {
  expect(quotient(turns, 'bare', 'relay', 'w1')).toBe(0.8)
  expect(quotient(turns, 'bare', 'bare', 'w1')).toBe(1)
})

test('a round that one of the two did not take counts for neither, and no round at all is no figure', () => {
  expect(quotient(turns, 'relay', 'nginx', 'w1')).toBe(150 / 160)
  expect(quotient(turns, 'bare', 'relay', 'w2a')).toBeNaN()
  expect(boundLines([], ['w1'])).toEqual([{ ok: false, text: 'W1 ratio NaN (≥ 0.40) FAIL' }])
})

test('a turn over one connection counts for the first byte only', () => {
  const own = [...turns, turn(1, 'relay', 1000, true)]
  expect(quotient(own, 'bare', 'relay', 'w1')).toBe(0.8)
  const lines = firstByteTable(own).split('\n')
  expect(lines.filter((line) => line.includes('relay')).map((line) => line.trim().split(/ +/))).toEqual([
    ['w1', 'relay', '1', '1.00', '10.00'],
    ['w1', 'relay', '32', '0.15', '1.50'],
  ])
})

test('a bound is held from itself on', () => {
  const ratio = (relay: number) => boundLines([turn(1, 'bare', 40), turn(1, 'relay', relay)], ['w1'])
  expect(ratio(100)).toEqual([{ ok: true, text: 'W1 ratio 0.40 (≥ 0.40) PASS' }])
  expect(ratio(101)).toMatchObject([{ ok: false }])
})

test('memory at rest has a bound for the relay, and none for others', () => {
  const held = (name: string, restMib: number) => memoryLines(name, restMib, 300).every(({ ok }) => ok)
  expect([held('relay', 200), held('relay', 201), held('bare', 201)]).toEqual([true, false, true])
})
