import { expect, test } from 'vitest'
import type { Turn } from '../../bench/turns.ts'
import { boundLines, quotient, watchedLines } from '../../bench/verdict.ts'

const totals = {
  finished: 1,
  inputTokens: 0,
  outputTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
  requestBytes: 0,
  answerBytes: 0,
  bad: 0,
}

const turn = (round: number, contender: string, cpuUsPerRequest: number): Turn => ({
  round,
  contender,
  workload: 'w1',
  cpuUsPerRequest,
  requestsPerSecond: 1,
  busy: 1,
  finished: 1,
  totals,
  faults: [],
})

/** A machine that is half as fast in the second round, and whose third round was disturbed for one of the two. */
const turns = [
  turn(1, 'bare', 80),
  turn(1, 'relay', 100),
  turn(2, 'relay', 200),
  turn(2, 'bare', 160),
  turn(3, 'bare', 81),
  turn(3, 'relay', 150),
  turn(3, 'watched', 160),
]

test('a quotient is the median of the rounds, each against itself, whatever the order in it', () => {
  expect(quotient(turns, 'bare', 'relay', 'w1')).toBe(0.8)
  expect(quotient(turns, 'bare', 'bare', 'w1')).toBe(1)
})

test('a round that one of the two did not take counts for neither, and no round at all is no figure', () => {
  expect(quotient(turns, 'relay', 'watched', 'w1')).toBe(150 / 160)
  expect(quotient(turns, 'bare', 'relay', 'w2a')).toBeNaN()
  expect(boundLines([], ['w1'])).toEqual([{ ok: false, text: 'W1 ratio NaN (≥ 0.8) FAIL' }])
})

test('a bound is held from itself on, a loss of a tenth fails', () => {
  expect(boundLines(turns, ['w1'])).toEqual([{ ok: true, text: 'W1 ratio 0.80 (≥ 0.8) PASS' }])
  const all = { heard: (): [number, number] => [5, 5], sent: () => 5 }
  const lossOf = (watched: number) => watchedLines([turn(1, 'relay', 900), turn(1, 'watched', watched)], all)[0]
  expect(lossOf(990)).toMatchObject({ ok: true, text: 'W1 loss while watched 9.1 % (< 10 %) PASS' })
  expect(lossOf(1001)).toMatchObject({ ok: false })
})

test('a subscriber who missed one request, or heard of one twice, fails the run', () => {
  const heardAll = (least: number, most: number) =>
    watchedLines(turns, { heard: () => [least, most], sent: () => 5 })[1]?.ok
  expect([heardAll(5, 5), heardAll(4, 5), heardAll(4, 4), heardAll(5, 6), heardAll(0, 0)]).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})
