/** `retry-after` in seconds or as a date → milliseconds from now; null when absent or unreadable. */
export function retryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined || value === '') return null
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs)
}
