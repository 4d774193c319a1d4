import { expect, test } from 'vitest'
import type { GaugeReading } from '../../server/accounts/gauges/gauge.ts'
import { createLimitNotes } from '../../server/relay/attempt/limit-notes.ts'
import { ResponseHeaders } from '../../server/relay/request/response-headers.ts'
import { claudePlatform } from '../../server/upstreams/platforms/claude/claude.ts'
import { consolePlatform } from '../../server/upstreams/platforms/console/console.ts'
import { accountOf } from './some-account.ts'

const prefix = 'anthropic-ratelimit-unified-'
const answer = (...headers: [name: string, value: string][]) => new ResponseHeaders(headers.flat())
const used = (share: string, name = '5h-utilization') =>
  answer(['Date', 'now'], [`${prefix}${name}`, share], [`${prefix}5h-status`, 'allowed'])

function notes() {
  const noted: [id: number, window: string, usedPpm: number | null][] = []
  let reads = 0
  const limits = {
    ...claudePlatform.limits!,
    ofHeaders(headers: ReadonlyMap<string, string>): GaugeReading[] {
      reads++
      return claudePlatform.limits!.ofHeaders(headers)
    },
  }
  const note = createLimitNotes({
    gauges: {
      note: (id, readings) =>
        void noted.push(...readings.map((one) => [id, one.window, one.usedPpm] as [number, string, number])),
    },
    platformOf: ({ platform }) => (platform === 'claude' ? { ...claudePlatform, limits } : consolePlatform),
  })
  return { note, noted, reads: () => reads }
}

test('every answer is noted, and headers that were read before are not read again', () => {
  const { note, noted, reads } = notes()
  const [one, two] = [accountOf({ id: 1, platform: 'claude' }), accountOf({ id: 2, platform: 'claude' })]
  for (const account of [one, two, one]) note(account, used('0.5'))
  note(one, used('0.51'))
  note(one, used('0.5'))
  expect(noted).toEqual([
    [1, '5h', 500_000],
    [2, '5h', 500_000],
    [1, '5h', 500_000],
    [1, '5h', 510_000],
    [1, '5h', 500_000],
  ])
  expect(reads()).toBe(2)
})

test('answers without such headers, and platforms that tell nothing, are not looked into', () => {
  const { note, noted, reads } = notes()
  note(
    accountOf({ platform: 'claude' }),
    answer(['anthropic-ratelimit-unified', 'x'], ['anthropic-ratelimit-requests-limit', '5']),
  )
  note(accountOf({ platform: 'console' }), used('0.5'))
  expect([noted, reads()]).toEqual([[], 0])
})

test('the text of limits tells names, values and their borders apart, and is the same whatever stands beside them and in whatever case', () => {
  const same = [
    used('0.5'),
    answer(['ANTHROPIC-RateLimit-Unified-5h-utilization', '0.5'], ['x', 'y'], [`${prefix}5h-status`, 'allowed']),
  ]
  expect(new Set(same.map((one) => one.textOf(prefix))).size).toBe(1)
  const others = [
    used('0.5'),
    used('0.6'),
    used('0.5', '7d-utilization'),
    answer([`${prefix}5h-utilization`, '0.5']),
    answer([`${prefix}5h-utilization0`, '.5']),
    answer([`${prefix}5h-utilization`, '']),
    answer([`${prefix}5h-utilization`, '0.5'], [`${prefix}5h-status`, 'allowe'], [`${prefix}d`, '']),
  ].map((one) => one.textOf(prefix))
  expect(new Set(others).size).toBe(others.length)
  expect(answer(['Date', 'now']).textOf(prefix)).toBe('')
})
