import type { GaugeReading } from '../../../accounts/gauges/gauge.ts'
import { ppmOf } from '../../formats/anthropic/unified-limits.ts'

/** The windows that the usage page of a subscription has names of its own for; others keep theirs, shortened the same way. */
const sessionWindow = '5h'
const weekWindow = '7d'

/**
 * The gauges of a subscription's usage page (protocol.md §1.8): a list `limits`, and beside it or in its place an object a
 * window. Shares are percents there, ends ISO dates. What is not understood is left out; the page is nobody's contract.
 */
export function gaugesOfUsage(body: Uint8Array): GaugeReading[] {
  const page = parsed(body)
  const found = new Map<string, GaugeReading>()
  const add = (window: string, percent: unknown, resetsAt: unknown): void => {
    if (typeof percent !== 'number' || !Number.isFinite(percent) || percent < 0) return
    found.set(window, { window, status: '', usedPpm: ppmOf(percent / 100), resetMs: momentOf(resetsAt) })
  }
  for (const [name, value] of Object.entries(page)) {
    const window = windowOf(name)
    if (window !== null && isObject(value)) add(window, value['utilization'], value['resets_at'])
  }
  const limits: unknown = page['limits']
  if (!Array.isArray(limits)) return [...found.values()]
  for (const limit of limits.slice(0, 32)) {
    if (!isObject(limit)) continue
    const window =
      limit['kind'] === 'session'
        ? sessionWindow
        : limit['kind'] === 'weekly_all'
          ? weekWindow
          : limit['kind'] === 'weekly_scoped'
            ? scopedWindow(limit['scope'])
            : null
    if (window !== null) add(window, limit['percent'], limit['resets_at'])
  }
  return [...found.values()]
}

/** `five_hour` → 5h, `seven_day_sonnet` → 7d_sonnet, as the headers call them; null for what is no window. */
function windowOf(name: string): string | null {
  if (name === 'five_hour') return sessionWindow
  const [, scope] = /^seven_day(_[a-z0-9_]{1,28})?$/.exec(name) ?? [null, null]
  if (scope === null) return null
  if (scope === '_overage_included') return `${weekWindow}_oi`
  return weekWindow + (scope ?? '')
}

/** A week of some models: by the word that names them. */
function scopedWindow(scope: unknown): string | null {
  const model = isObject(scope) ? scope['model'] : null
  const name = isObject(model) ? (model['display_name'] ?? model['id']) : model
  if (typeof name !== 'string') return null
  const word = /([a-z]{3,28})/.exec(name.toLowerCase().replace(/^claude[\s-]+/, ''))?.[1]
  return word === undefined ? null : `${weekWindow}_${word}`
}

function momentOf(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return ms > 1e12 && ms < 5e12 ? ms : null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
