import type { ZoneDay } from '../zone-days.ts'

/** From the first moment until just before the last, epoch milliseconds. */
export interface TimeWindow {
  fromMs: number
  toMs: number
}

export interface CalendarWindows {
  day: TimeWindow
  week: TimeWindow
  month: TimeWindow
}

export type Windows = (atMs: number) => CalendarWindows

/**
 * Calendar windows of the deployment: its zone, its reset hour (both in `dayAt`) and the first day of its week (0: Sunday).
 */
export function createWindows(dayAt: (atMs: number) => ZoneDay, weekStart: number): Windows {
  // Finding the ends of a month takes many steps: the windows of this moment and of the one before are kept.
  let kept: CalendarWindows[] = []

  function find(atMs: number): CalendarWindows {
    const today = dayAt(atMs)
    const weekday = new Date(`${today.day}T00:00:00Z`).getUTCDay()
    const isOf = (day: ZoneDay): boolean => day.day.slice(0, 7) === today.day.slice(0, 7)
    let week = today
    for (let back = (weekday - weekStart + 7) % 7; back > 0; back--) week = dayAt(week.startMs - 1)
    let weekEnd = today
    for (let on = 6 - ((weekday - weekStart + 7) % 7); on > 0; on--) weekEnd = dayAt(weekEnd.endMs)
    let first = today
    for (let day = today; isOf(day); day = dayAt(day.startMs - 1)) first = day
    let last = today
    for (let day = today; isOf(day); day = dayAt(day.endMs)) last = day
    return {
      day: { fromMs: today.startMs, toMs: today.endMs },
      week: { fromMs: week.startMs, toMs: weekEnd.endMs },
      month: { fromMs: first.startMs, toMs: last.endMs },
    }
  }

  return (atMs) => {
    const known = kept.find(({ day }) => day.fromMs <= atMs && atMs < day.toMs)
    if (known) return known
    const found = find(atMs)
    kept = [found, ...kept.slice(0, 1)]
    return found
  }
}
