import { expect, test } from 'vitest'
import { claudePlatform } from '../../server/upstreams/platforms/claude/claude.ts'
import { consolePlatform } from '../../server/upstreams/platforms/console/console.ts'

const { ofProbe, ofHeaders } = claudePlatform.limits!
const limits = { ofProbe, ofHeaders: (said: ReadonlyMap<string, string>) => ofHeaders(said, 0) }
const resetS = 1_795_430_000
const headers = (said: Record<string, string>) =>
  new Map(Object.entries(said).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]))
const ofPage = (page: object | string) =>
  limits.ofProbe(Buffer.from(typeof page === 'string' ? page : JSON.stringify(page)))

test('headers of a subscription are gauges by window; what is no number or moment was not said', () => {
  const gauges = limits.ofHeaders(
    headers({
      status: 'allowed',
      reset: String(resetS),
      'representative-claim': 'five_hour',
      'fallback-percentage': '0.5',
      '5h-status': 'allowed_warning',
      '5h-utilization': '0.29',
      '5h-reset': String(resetS),
      '5h-surpassed-threshold': '0.9',
      '7d-utilization': '1.02',
      '7d-reset': 'soon',
      '7d_sonnet-status': 'rejected',
      'overage-status': 'rejected',
      'overage-disabled-reason': 'out_of_credits',
      '9d-utilization': '1e300',
    }),
  )
  expect(gauges).toEqual([
    { window: '5h', status: 'allowed_warning', usedPpm: 290_000, resetMs: resetS * 1000 },
    { window: '7d', status: '', usedPpm: 1_020_000, resetMs: null },
    { window: '7d_sonnet', status: 'rejected', usedPpm: null, resetMs: null },
    { window: 'overage', status: 'rejected', usedPpm: null, resetMs: null },
    { window: '9d', status: '', usedPpm: 100_000_000, resetMs: null },
  ])
  expect(limits.ofHeaders(new Map([['anthropic-ratelimit-requests-limit', '5']]))).toEqual([])
})

test('no more windows are taken from one answer than a table holds, and no longer names', () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`w${index}-utilization`, '0.1']))
  expect(limits.ofHeaders(headers(many))).toHaveLength(32)
  expect(limits.ofHeaders(headers({ [`${'w'.repeat(33)}-utilization`]: '0.1' }))).toEqual([])
  expect(limits.ofHeaders(headers({ '5h-status': 'a'.repeat(60) }))[0]!.status).toHaveLength(32)
})

test('the usage page in percents, an object a window, is the same gauges', () => {
  const page = {
    five_hour: { utilization: 42.5, resets_at: '2026-11-23T15:00:00.171+00:00' },
    seven_day: { utilization: 101, resets_at: null },
    seven_day_opus: null,
    seven_day_sonnet: { utilization: 0, resets_at: '2026-11-30T09:00:00Z' },
    seven_day_overage_included: { utilization: 3 },
    extra_usage: { is_enabled: true, utilization: 20 },
  }
  expect(ofPage(page)).toEqual([
    { window: '5h', status: '', usedPpm: 425_000, resetMs: Date.parse('2026-11-23T15:00:00.171Z') },
    { window: '7d', status: '', usedPpm: 1_010_000, resetMs: null },
    { window: '7d_sonnet', status: '', usedPpm: 0, resetMs: Date.parse('2026-11-30T09:00:00Z') },
    { window: '7d_oi', status: '', usedPpm: 30_000, resetMs: null },
  ])
})

test('so is its list of limits, which counts where both are there', () => {
  const page = {
    five_hour: { utilization: 1 },
    limits: [
      { kind: 'session', percent: 52, resets_at: '2026-11-23T15:00:00Z', scope: null },
      { kind: 'weekly_all', percent: 20, resets_at: '2026-11-30T09:00:00Z' },
      { kind: 'weekly_scoped', percent: 57, scope: { model: { id: null, display_name: 'Fable' } } },
      { kind: 'weekly_scoped', percent: 8, scope: { model: { id: 'claude-opus-5-5' } } },
      { kind: 'weekly_scoped', percent: null, scope: { model: { display_name: 'Ghost' } } },
      { kind: 'weekly_scoped', percent: 5, scope: null },
      { kind: 'something', percent: 5 },
      'nonsense',
    ],
  }
  expect(ofPage(page).map(({ window, usedPpm }) => [window, usedPpm])).toEqual([
    ['5h', 520_000],
    ['7d', 200_000],
    ['7d_fable', 570_000],
    ['7d_opus', 80_000],
  ])
})

test.each([
  '',
  '[]',
  'null',
  '<html>',
  '{"limits":{"kind":1},"five_hour":[1],"seven_day":{"utilization":"50"}}',
  '{"five_hour":{"utilization":-1}}',
])('a page that says nothing of limits (%j) is no gauge', (page) => {
  expect(ofPage(page)).toEqual([])
})

test('platforms with keys tell nothing of limits: their answers cost nothing more', () => {
  expect(consolePlatform.limits).toBeUndefined()
})
