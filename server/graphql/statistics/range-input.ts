import { GraphQLError } from 'graphql'
import type { Range } from '../../statistics/range-plan.ts'
import type { Interval } from '../../statistics/usage.ts'
import { builder } from '../builder.ts'

export const RangeInput = builder.inputType('RangeInput', {
  description: 'A range of time, exact to the millisecond. What has not come yet counts as empty.',
  fields: (t) => ({
    from: t.field({ description: 'Included.', type: 'DateTime', required: true }),
    to: t.field({ description: 'After `from`.', type: 'DateTime', required: true }),
  }),
})

const dayMs = 24 * 3_600_000
/** A month of 31 days can have an hour more. */
const hourMs = 3_600_000
const maxHourly = 31 * dayMs + hourMs
const maxDaily = 3 * 366 * dayMs
const maxRange = 10 * 366 * dayMs

export const rangeArg = 'At most ten years; by hour at most 31 days, by day at most three years.'

/** Refuses ranges that are empty, or too long for an interval; says what is right. */
export function rangeOf({ from, to }: { from: Date; to: Date }, interval?: Interval): Range {
  const [fromMs, toMs] = [from.getTime(), to.getTime()]
  if (toMs <= fromMs) throw rangeProblem('`to` must be after `from`.')
  const length = toMs - fromMs
  const days = Math.ceil(length / dayMs)
  if (interval === 'hour' && length > maxHourly)
    throw rangeProblem(`A range by HOUR has at most 31 days; this one has ${days}. Group by DAY, or shorten the range.`)
  if (interval === 'day' && length > maxDaily)
    throw rangeProblem(
      `A range by DAY has at most three years; this one has ${days} days. Group by WEEK or MONTH, or shorten the range.`,
    )
  if (length > maxRange) throw rangeProblem(`A range has at most ten years; this one has ${days} days.`)
  return { fromMs, toMs }
}

const rangeProblem = (message: string) =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', field: 'range' } })
