/** A calendar day of a time zone: 23, 24 or 25 hours long, found with Intl. */
export interface ZoneDay {
  /** YYYY-MM-DD in the zone. */
  day: string
  startMs: number
  /** Start of the next day: when a daily limit resets. */
  endMs: number
}

/** Days to keep: today, the days around it, and a few that people look at. */
const maxKept = 16
const dayMs = 24 * 3_600_000

/**
 * `zone` is an IANA name; throws RangeError when Intl does not know it. `beginHour`: the hour of the clock on the wall at which a
 * day begins.
 */
export function createZoneDays(zone: string, beginHour = 0): (atMs: number) => ZoneDay {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const hours = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' })
  function dayOf(atMs: number): string {
    const day = format.format(atMs)
    if (beginHour === 0 || Number(hours.format(atMs)) >= beginHour) return day
    return new Date(Date.parse(`${day}T00:00:00Z`) - dayMs).toISOString().slice(0, 10)
  }
  /** The most recently used day comes first. */
  const kept: ZoneDay[] = []

  /** First millisecond after `fromMs` whose day differs from `day`, searched no further than `toMs`. */
  function changeBetween(day: string, fromMs: number, toMs: number): number {
    let low = fromMs
    let high = toMs
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (dayOf(middle) === day) low = middle
      else high = middle
    }
    return high
  }

  function startOf(day: string, atMs: number): number {
    // Callers often ask for one day after the other.
    if (kept.some(({ endMs }) => endMs === atMs)) return atMs
    const before = atMs - 30 * 3_600_000
    const start = changeBetween(dayOf(before), before, atMs)
    // Thirty hours earlier can be two days earlier: then search the start of this day once more.
    return dayOf(start) === day ? start : changeBetween(dayOf(start), start, atMs)
  }

  function endOf(day: string, startMs: number, atMs: number): number {
    // Nearly every day has 24 hours, and a search asks Intl thirty times.
    const usual = startMs + dayMs
    if (usual > atMs && dayOf(usual - 1) === day && dayOf(usual) !== day) return usual
    return changeBetween(day, atMs, atMs + 30 * 3_600_000)
  }

  return (atMs) => {
    for (let i = 0; i < kept.length; i++) {
      const known = kept[i]!
      if (atMs < known.startMs || atMs >= known.endMs) continue
      if (i > 0) {
        kept.splice(i, 1)
        kept.unshift(known)
      }
      return known
    }
    const day = dayOf(atMs)
    const startMs = startOf(day, atMs)
    const found = { day, startMs, endMs: endOf(day, startMs, atMs) }
    kept.unshift(found)
    if (kept.length > maxKept) kept.pop()
    return found
  }
}
