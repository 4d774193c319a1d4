import { z } from 'zod'
import { readNetwork } from './networks.ts'

/** Schemas of values that several nouns have. No message repeats the value, because it may be or contain a secret. */

export const objectName = z
  .string()
  .refine((text) => text !== '' && Array.from(text).length <= 100, {
    error: 'must have 1 to 100 characters',
    abort: true,
  })
  .refine(
    (text) => text === text.trim() && !/[\p{Cc}\p{Cs}]/u.test(text),
    'must hold no control characters and no space at its ends',
  )
  .meta({ minLength: 1, maxLength: 100 })

/** Also checks DEFAULT_ADMIN_USERNAME. */
export const userName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u,
    'must have 1 to 64 letters, digits, or . _ @ -, and begin with a letter or digit',
  )

export const modelPattern = z
  .string()
  .regex(/^[\x21-\x7e]{1,191}$/, 'must be the name of a model, or a pattern with *, without spaces')

export const modelName = z
  .string()
  .regex(/^[\x21-\x29\x2b-\x7e]{1,191}$/, 'must be the name of a model, without * and spaces')

export const isTooLong = 'is too long altogether'

export const modelPatterns = z
  .array(modelPattern)
  .min(1, 'must name at least one model; ["*"] allows every model')
  .max(200, 'has too many entries')
  .refine(fitsColumn, isTooLong)

/** Lists are stored as JSON in columns of 64 KB. They contain only ASCII, so a character is a byte. */
export function fitsColumn(value: unknown): boolean {
  return JSON.stringify(value).length < 65_000
}

export const wholeNumber = (min: number, max: number, tooBig = `must be at most ${max}`) =>
  z.int().min(min, `must be at least ${min}`).max(max, tooBig)

export const moment = z.iso.datetime({
  offset: true,
  error: 'must be a date and time with a zone, such as 2027-01-31T00:00:00Z',
})

/** Comma-separated CIDRs; a single address becomes a network of its own. */
export const networkList = z.string().transform((text, context): readonly string[] => {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
  const wrong = items.filter((item) => readNetwork(item) === undefined)
  if (wrong.length > 0)
    context.addIssue(`must be a list of networks such as 10.0.0.0/8, ::1/128; wrong: ${wrong.join(', ')}`)
  return Object.freeze(items.flatMap((item) => readNetwork(item) ?? []))
})
