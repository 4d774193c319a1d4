import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { createZoneDays } from '../server/zone-days.ts'

const hourMs = 3_600_000
const hoursOf = (zone: string, at: string): number => {
  const { startMs, endMs } = createZoneDays(zone)(Date.parse(at))
  return (endMs - startMs) / hourMs
}

test('a day begins and ends where the zone says, also in zones of half and quarter hours', () => {
  const at = Date.parse('2026-11-23T20:00:00Z')
  const startOf = (zone: string) => new Date(createZoneDays(zone)(at).startMs).toISOString()
  expect(createZoneDays('UTC')(at)).toEqual({
    day: '2026-11-23',
    startMs: Date.parse('2026-11-23T00:00:00Z'),
    endMs: Date.parse('2026-11-24T00:00:00Z'),
  })
  expect(startOf('Asia/Shanghai')).toBe('2026-11-23T16:00:00.000Z')
  expect(startOf('Asia/Kolkata')).toBe('2026-11-23T18:30:00.000Z')
  expect(startOf('Asia/Kathmandu')).toBe('2026-11-23T18:15:00.000Z')
  expect(startOf('America/New_York')).toBe('2026-11-23T05:00:00.000Z')
})

test('days of 23 and of 25 hours are whole days', () => {
  expect(hoursOf('Europe/Berlin', '2026-03-29T12:00:00Z')).toBe(23)
  expect(hoursOf('Europe/Berlin', '2026-10-25T12:00:00Z')).toBe(25)
  expect(hoursOf('America/New_York', '2026-03-08T18:00:00Z')).toBe(23)
  expect(hoursOf('America/New_York', '2026-11-01T18:00:00Z')).toBe(25)
  // Half an hour of summer time.
  expect(hoursOf('Australia/Lord_Howe', '2026-04-05T00:00:00Z')).toBe(24.5)
})

test('a zone whose clock changes at midnight begins that day at one o’clock, or ends it an hour late', () => {
  const egypt = createZoneDays('Africa/Cairo')(Date.parse('2026-04-24T12:00:00Z'))
  expect(egypt.day).toBe('2026-04-24')
  expect((egypt.endMs - egypt.startMs) / hourMs).toBe(23)
  expect(new Date(egypt.startMs).toISOString()).toBe('2026-04-23T22:00:00.000Z')
  expect(hoursOf('Africa/Cairo', '2026-10-29T12:00:00Z')).toBe(25)
})

test('a day that a zone left out is not missed', () => {
  const samoa = createZoneDays('Pacific/Apia')
  const last = samoa(Date.parse('2011-12-30T09:59:59Z'))
  expect(last.day).toBe('2011-12-29')
  expect(samoa(last.endMs)).toMatchObject({ day: '2011-12-31', startMs: last.endMs })
})

test('days touch without a gap, in any zone, whatever was asked before', () => {
  const zones = ['UTC', 'Europe/Berlin', 'Africa/Cairo', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Santiago']
  const ofZone = new Map(zones.map((zone) => [zone, createZoneDays(zone)]))
  const span = { min: Date.parse('2024-01-01T00:00:00Z'), max: Date.parse('2028-01-01T00:00:00Z') }
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer(span), (zone, atMs) => {
      const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
      const days = ofZone.get(zone)!
      const { day, startMs, endMs } = days(atMs)
      expect(startMs <= atMs && atMs < endMs).toBe(true)
      expect([startMs - 1, startMs, atMs, endMs - 1, endMs].map((ms) => format.format(ms) === day)).toEqual([
        false,
        true,
        true,
        true,
        false,
      ])
      expect(days(startMs)).toMatchObject({ day, startMs, endMs })
      expect(days(endMs).startMs).toBe(endMs)
    }),
    { numRuns: 300 },
  )
})

test('old days that are replayed do not push today out of memory', () => {
  const days = createZoneDays('Europe/Berlin')
  const now = Date.parse('2026-11-23T12:00:00Z')
  const today = days(now)
  expect(days(now - 40 * 24 * hourMs).day).toBe('2026-10-14')
  expect(days(now + 1)).toBe(today)
})

test('who looks at tomorrow, or at three years, leaves today in memory or finds it soon', () => {
  const days = createZoneDays('Asia/Shanghai')
  const now = Date.parse('2026-11-29T05:00:00Z')
  const today = days(now)
  expect(days(today.endMs).day).toBe('2026-11-30')
  expect(days(now)).toBe(today)
  for (let day = days(now - 1096 * 24 * hourMs); day.startMs < now; day = days(day.endMs)) expect(day).toBeDefined()
  expect(days(now)).toEqual(today)
  expect(days(now + 1)).toBe(days(now))
})

test('three years of days cost a few questions each', () => {
  const real = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'format')!
  let questions = 0
  const get = function (this: Intl.DateTimeFormat): Intl.DateTimeFormat['format'] {
    const format: Intl.DateTimeFormat['format'] = real.get!.call(this)
    return (at) => {
      questions++
      return format(at)
    }
  }
  Object.defineProperty(Intl.DateTimeFormat.prototype, 'format', { ...real, get })
  onTestFinished(() => void Object.defineProperty(Intl.DateTimeFormat.prototype, 'format', real))
  const days = createZoneDays('Europe/Berlin')
  const end = Date.parse('2026-11-29T00:00:00Z')
  let count = 0
  for (let day = days(end - 1096 * 24 * hourMs); day.startMs < end; day = days(day.endMs)) count++
  expect(count).toBe(1097)
  expect(questions / count).toBeLessThan(5)
})

test('a zone that nobody knows is refused', () => {
  expect(() => createZoneDays('Europe/Atlantis')).toThrow(RangeError)
})
