import { GraphQLError } from 'graphql'
import { z } from 'zod'
import { moment } from '../field-values.ts'
import { builder } from './builder.ts'

const bad = (what: string): GraphQLError => new GraphQLError(what, { extensions: { code: 'BAD_USER_INPUT' } })

/** Shared with the schema of key holders (key-holder/). */
export const dateTime = {
  description: 'Date and time as ISO 8601 in UTC, such as 2026-11-23T07:00:00.000Z.',
  serialize: (value: Date) => value.toISOString(),
  parseValue(value: unknown): Date {
    const parsed = moment.safeParse(value)
    if (!parsed.success) throw bad('must be a date and time with a zone, such as 2027-01-31T00:00:00Z')
    const date = new Date(parsed.data)
    // Years of four digits, as MySQL has them too: a zone can lead out of them.
    const year = date.getUTCFullYear()
    if (year < 1000 || year > 9999) throw bad('must lie in the years 1000 to 9999, in UTC')
    return date
  },
}
builder.scalarType('DateTime', dateTime)

/** As far as the columns of the database go. */
const nanoText = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(BigInt)
  .refine((nano) => nano < 2n ** 63n)

export const nanoUsd = {
  description: 'Money: a whole number of nano-USD as decimal text. 1000000000 is one US dollar.',
  serialize: (value: bigint) => value.toString(),
  parseValue(value: unknown): bigint {
    const parsed = nanoText.safeParse(value)
    if (!parsed.success) throw bad('must be a whole number of nano-USD as text, such as "1500000000"')
    return parsed.data
  },
}
builder.scalarType('NanoUsd', nanoUsd)

builder.scalarType('Decimal', {
  description:
    'A decimal number as text, such as "0.85": a rate, or a factor. A JSON number may have been rounded on its way.',
  serialize: (value) => value,
  // The schema of the noun checks it, so that what is wrong is told by field.
  parseValue: (value) => value,
})

export const count = {
  description: 'A whole number below 2^53: tokens, requests, milliseconds.',
  serialize(value: number | bigint): number {
    const whole = Number(value)
    if (!Number.isSafeInteger(whole)) throw new RangeError('a count left the range of exact numbers')
    return whole
  },
  parseValue(value: unknown): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw bad('must be a whole number')
    return value
  },
}
builder.scalarType('Count', count)

builder.scalarType('Date', {
  description: "A day of the deployment's time zone, such as 2026-11-23.",
  serialize: (value) => value,
  parseValue(value) {
    const parsed = z.iso.date().safeParse(value)
    if (!parsed.success) throw bad('must be a day, such as 2027-01-31')
    return parsed.data
  },
})

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
})
