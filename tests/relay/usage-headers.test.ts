import { expect, test } from 'vitest'
import { claimsOf, noCostLimits } from '../../server/keys/limits.ts'
import { usageHeaders } from '../../server/relay/settlement/usage-headers.ts'

const day = { fromMs: 1_795_824_000_000, toMs: 1_795_910_400_000 }
const windows = { day, week: day, month: day }
const dollar = 1_000_000_000

/** The part of each name behind `anthropic-ratelimit-unified-`. */
function told(limits: { daily?: number; total?: number }, ...spentNano: number[]): Record<string, string> {
  const set = { ...noCostLimits, dailyLimitNano: limits.daily ?? null, totalLimitNano: limits.total ?? null }
  const list = usageHeaders(claimsOf('key', 1, set, windows, day.fromMs), spentNano)
  const found: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) found[list[i]!.replace(/^anthropic-ratelimit-unified-/, '')] = list[i + 1]!
  return found
}

test('a daily limit is told with its utilization and when it begins anew', () => {
  expect(told({ daily: dollar }, 0.5 * dollar)).toEqual({
    status: 'allowed',
    'representative-claim': 'overage',
    'overage-status': 'allowed',
    'overage-utilization': '0.50',
    reset: '1795910400',
    'overage-reset': '1795910400',
  })
})

test('a total limit is told without a reset: there is none', () => {
  expect(told({ total: dollar }, 0)).toEqual({
    status: 'allowed',
    'representative-claim': 'overage',
    'overage-status': 'allowed',
    'overage-utilization': '0.00',
  })
})

test.each([
  [0.749_999, '0.74', undefined],
  [0.75, '0.75', '0.75'],
  [0.949_999, '0.94', '0.75'],
  [0.95, '0.95', '0.95'],
  // It was let in: less than everything is spent.
  [0.999_999_999, '0.99', '0.95'],
])('%d of a limit spent: utilization %s, threshold %s', (share, utilization, threshold) => {
  const headers = told({ daily: dollar }, Math.round(share * dollar))
  expect(headers['overage-utilization']).toBe(utilization)
  expect(headers['overage-surpassed-threshold']).toBe(threshold)
  expect(headers['status']).toBe(threshold === undefined ? 'allowed' : 'allowed_warning')
  expect(headers['overage-status']).toBe(headers['status'])
})

test('with two limits the one that is more used is told', () => {
  const limits = { daily: dollar, total: 10 * dollar }
  expect(told(limits, 0.8 * dollar, dollar)).toMatchObject({ 'overage-utilization': '0.80', reset: '1795910400' })
  const total = told(limits, 0.1 * dollar, 9.6 * dollar)
  expect(total).toMatchObject({ 'overage-utilization': '0.96', 'overage-surpassed-threshold': '0.95' })
  expect(total['reset']).toBeUndefined()
})

test('the largest amounts there are keep a utilization below 1', () => {
  const limit = Number.MAX_SAFE_INTEGER
  expect(told({ total: limit }, limit - 1)['overage-utilization']).toBe('0.99')
})

test('what is not known is not told', () => {
  expect(told({ daily: dollar, total: dollar })).toEqual({})
})
