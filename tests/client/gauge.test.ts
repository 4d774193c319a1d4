import { expect, test } from 'vitest'
import { historyHours, isMain, shownGauge, sparkline } from '../../client/values/account/gauge.ts'
import { shortDuration } from '../../client/values/time/duration.ts'

const nowMs = Date.parse('2026-11-23T10:00:00.000Z')
const later = '2026-11-23T12:00:00.000Z'
const shown = (utilization: number | null, status = 'allowed', resetAt: string | null = later) =>
  shownGauge({ utilization, status, resetAt }, nowMs)

test('a gauge warns at three quarters or when the vendor warns, and alarms when all is used or the vendor refuses', () => {
  expect(shown(0.424)).toEqual({ percent: 42, level: 'fine', isOver: false })
  expect(shown(0.75).level).toBe('near')
  expect(shown(0.1, 'allowed_warning').level).toBe('near')
  expect(shown(1.02)).toEqual({ percent: 102, level: 'full', isOver: false })
  expect(shown(0.2, 'rejected').level).toBe('full')
  expect(shown(null, 'allowed', null)).toEqual({ percent: undefined, level: 'fine', isOver: false })
})

test('a window that is over has nothing used, whatever was said of it before', () => {
  expect(shown(0.99, 'rejected', '2026-11-23T10:00:00.000Z')).toEqual({ percent: 0, level: 'fine', isOver: true })
})

test('a history is a day of short windows and a week of long ones; the table shows the windows of the whole account', () => {
  expect(['5h', '7d', '7d_sonnet', 'overage'].map(historyHours)).toEqual([24, 168, 168, 24])
  expect(['5h', '7d', '7d_sonnet', 'overage'].filter((window) => isMain({ window }))).toEqual(['5h', '7d'])
})

test('the line goes in steps from left to right, all of the limit at the top; more than all makes the top higher', () => {
  const box = { width: 100, height: 10, fromMs: nowMs, toMs: nowMs + 100_000 }
  const at = (seconds: number) => new Date(nowMs + seconds * 1000).toISOString()
  const point = (seconds: number, utilization: number | null) => ({ at: at(seconds), utilization })
  expect(sparkline([point(0, 0), point(50, 0.5), point(80, null), point(100, 0.1)], box)).toBe('M0 10H50V5H100V9')
  expect(sparkline([point(0, 0), point(100, 2)], box)).toBe('M0 10H100V0')
  expect(sparkline([point(0, 0.5)], box)).toBe('')
  expect(sparkline([point(0, 0), point(1, 1)], { ...box, toMs: nowMs })).toBe('')
})

test('what lasts days is said in days and hours', () => {
  expect(shortDuration(47 * 3_600_000 + 60_000, 'en')).toBe('47 h 01 m')
  expect(shortDuration(76 * 3_600_000, 'en')).toBe('3 d 04 h')
})
