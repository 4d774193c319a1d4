import type { GaugePoint, LimitGauge } from '../../graphql/account-operations.ts'

export interface ShownGauge {
  /** Whole percents; undefined when nobody said. */
  percent: number | undefined
  level: 'fine' | 'near' | 'full'
  /** The window has ended, and nothing was said since: the next one begins with nothing used. */
  isOver: boolean
}

/** What a gauge says at a moment. It warns at 75 %, as Claude Code itself does, and alarms when the vendor refuses. */
export function shownGauge(gauge: Pick<LimitGauge, 'status' | 'utilization' | 'resetAt'>, nowMs: number): ShownGauge {
  const isOver = !!gauge.resetAt && Date.parse(gauge.resetAt) <= nowMs
  if (isOver) return { percent: 0, level: 'fine', isOver }
  const { status, utilization } = gauge
  const percent = utilization === null ? undefined : Math.round(utilization * 100)
  const isFull = status === 'rejected' || (utilization ?? 0) >= 1
  const isNear = status?.endsWith('warning') || (utilization ?? 0) >= 0.75
  return { percent, level: isFull ? 'full' : isNear ? 'near' : 'fine', isOver }
}

/** Hours of the history that says something of a window: a day of short ones, a week of long ones. */
export const historyHours = (window: string): number => (/^\d+d/.test(window) ? 7 * 24 : 24)

/** `5h` and `7d` are the windows of the whole account; others are of some models, or of what is paid beyond them. */
export const isMain = ({ window }: Pick<LimitGauge, 'window'>): boolean => window === '5h' || window === '7d'

/**
 * The line of a history in a box of `width` × `height`: time from `fromMs` to `toMs`, nothing at the bottom, all of the limit
 * (or the most that was used) at the top. Steps, as a limit falls at once when its window ends. '' for fewer than two points.
 */
export function sparkline(
  points: readonly GaugePoint[],
  box: { width: number; height: number; fromMs: number; toMs: number },
): string {
  const said = points.flatMap(({ at, utilization }) =>
    utilization === null ? [] : [{ at: Date.parse(at), utilization }],
  )
  if (said.length < 2 || box.toMs <= box.fromMs) return ''
  const most = Math.max(1, ...said.map(({ utilization }) => utilization))
  const x = (atMs: number): number => round(((atMs - box.fromMs) / (box.toMs - box.fromMs)) * box.width)
  const y = (utilization: number): number => round(box.height - (utilization / most) * box.height)
  const [first, ...rest] = said
  const path = rest.map(({ at, utilization }) => `H${x(at)}V${y(utilization)}`).join('')
  return `M${x(first!.at)} ${y(first!.utilization)}${path}`
}

const round = (value: number): number => Math.round(value * 10) / 10
