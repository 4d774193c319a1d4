import { formatUsd } from '../money/usd.ts'
import type { LimitStatus } from './limit-status.ts'

const names = { daily: 'today', weekly: 'this week', monthly: 'this month', total: 'in all' } as const

/** One line about the limit of which the largest share is used, for a terminal: `$3.80 of $5.00 left today, resets 2026-12-02 00:00 UTC`. */
export function statusLineOf(limits: readonly LimitStatus[]): string {
  const [fullest] = [...limits].sort((a, b) => shareOf(b) - shareOf(a))
  if (fullest === undefined) return 'no cost limit'
  const { rule, limitNano, spentNano, reservedNano, rollingHours, resetsAtMs } = fullest
  const left = Math.max(0, limitNano - spentNano - reservedNano)
  const window = rule === 'rolling' ? `of ${rollingHours} hours` : names[rule]
  const resets =
    resetsAtMs === null ? '' : `, resets ${new Date(resetsAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return `${cents(left)} of ${cents(limitNano)} left ${window}${resets}`
}

const shareOf = ({ spentNano, reservedNano, limitNano }: LimitStatus): number => (spentNano + reservedNano) / limitNano

/** Rounded down to cents, so that it never promises more than there is. */
const cents = (nano: number): string => {
  const whole = formatUsd(Math.floor(nano / 10_000_000) * 10_000_000)
  const [dollars, fraction = ''] = whole.split('.')
  return `$${dollars}.${fraction.padEnd(2, '0')}`
}
