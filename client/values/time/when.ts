const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]

/** "3 minutes ago", "in 2 hours", in the given language. */
export function relativeTime(at: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const away = at - now
  for (const [unit, ms] of steps) {
    if (Math.abs(away) >= ms) return format.format(Math.trunc(away / ms), unit)
  }
  return format.format(0, 'second')
}

/** Date and time to the second in the reader's own zone. */
export function absoluteTime(at: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(at)
}
