/** Calendar days of a time zone: 23, 24 or 25 hours long, found with Intl, cached while a day lasts. */
export interface ZoneDay {
  /** YYYY-MM-DD in the zone. */
  day: string
  startMs: number
  /** Start of the next day: when a daily limit resets. */
  endMs: number
}

/** `zone` is an IANA name; throws RangeError when Intl does not know it. */
export function createZoneDays(zone: string): (atMs: number) => ZoneDay {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const dayOf = (atMs: number) => format.format(atMs)
  let cached: ZoneDay = { day: '', startMs: 0, endMs: 0 }

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

  return (atMs) => {
    if (atMs >= cached.startMs && atMs < cached.endMs) return cached
    const day = dayOf(atMs)
    const before = atMs - 30 * 3_600_000
    const start = changeBetween(dayOf(before), before, atMs)
    // Thirty hours back can lie two days back: step to the change that opens this very day.
    const startMs = dayOf(start) === day ? start : changeBetween(dayOf(start), start, atMs)
    const found = { day, startMs, endMs: changeBetween(day, atMs, atMs + 30 * 3_600_000) }
    // Old rows being replayed must not push today out of the cache.
    if (atMs > cached.startMs) cached = found
    return found
  }
}
