/** One window of an account's own limits, as its vendor reported it last. */
export interface Gauge {
  /** The vendor's name of it: 5h, 7d, 7d_sonnet, overage, … */
  window: string
  /** allowed, allowed_warning, rejected, …; '' when it was not reported. */
  status: string
  /** Millionths of the limit that are used, beyond a million when it was passed; null when it was not reported. */
  usedPpm: number | null
  /** When the window ends, epoch milliseconds; null when it was not reported. */
  resetMs: number | null
  /** When this was reported. */
  atMs: number
}

/** What one response says of a window. */
export type GaugeReading = Omit<Gauge, 'atMs'>

/** A row of the history. */
export type GaugePoint = Omit<Gauge, 'window'>
