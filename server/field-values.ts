import { z } from 'zod'
import { clause, type FailureValues, type FieldProblemCode, fieldProblemCodes, says } from './failure-codes.ts'
import { readNetwork } from './networks.ts'

/** Schemas of values that several nouns have. No message repeats the value, because it may be or contain a secret. */

export const objectName = z
  .string()
  .refine((text) => text !== '' && Array.from(text).length <= 100, {
    error: says('LENGTH_OUT_OF_RANGE'),
    params: { min: 1, max: 100 },
    abort: true,
  })
  .refine((text) => text === text.trim() && !/[\p{Cc}\p{Cs}]/u.test(text), says('NAME_SPACED'))
  .meta({ minLength: 1, maxLength: 100 })

/** Also checks DEFAULT_ADMIN_USERNAME. */
export const userName = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u, says('USERNAME_MALFORMED'))

export const modelPattern = z.string().regex(/^[\x21-\x7e]{1,191}$/, says('MODEL_PATTERN_MALFORMED'))

export const modelName = z.string().regex(/^[\x21-\x29\x2b-\x7e]{1,191}$/, says('MODEL_MALFORMED'))

export const modelPatterns = z
  .array(modelPattern)
  .min(1, says('MODEL_MISSING'))
  .max(200, says('TOO_MANY_ENTRIES'))
  .refine(fitsColumn, says('TOO_LONG_ALTOGETHER'))

/** Lists are stored as JSON in columns of 64 KB. They contain only ASCII, so a character is a byte. */
export function fitsColumn(value: unknown): boolean {
  return JSON.stringify(value).length < 65_000
}

export const wholeNumber = (min: number, max: number) => z.int().min(min, says('TOO_SMALL')).max(max, says('TOO_LARGE'))

/** Decimal text. A JSON number is refused with a sentence of its own: it may have been rounded already. */
export const decimalText = z.string({
  error: ({ input }) => (typeof input === 'number' ? says('AMOUNT_NOT_TEXT') : undefined),
})

/** A factor from 0 to 100 as decimal text, in basis points. */
export const factorText = decimalText
  .regex(/^(?:0|[1-9]\d?)(?:\.\d{1,4})?$|^100(?:\.0{1,4})?$/, { error: says('FACTOR_MALFORMED'), abort: true })
  .transform((text) => {
    const [whole, fraction = ''] = text.split('.')
    return Number(`${whole}${fraction.padEnd(4, '0')}`)
  })

export const moment = z.iso.datetime({
  offset: true,
  error: says('MOMENT_MALFORMED'),
})

/** Comma-separated CIDRs; a single address becomes a network of its own. */
export const networkList = z.string().transform((text, context): readonly string[] => {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
  const wrong = items.filter((item) => readNetwork(item) === undefined)
  if (wrong.length > 0)
    context.addIssue({
      code: 'custom',
      message: says('NETWORKS_MALFORMED'),
      params: { wrong: wrong.join(', ') },
    })
  return Object.freeze(items.flatMap((item) => readNetwork(item) ?? []))
})

const isCode = (text: string): text is FieldProblemCode => (fieldProblemCodes as readonly string[]).includes(text)

/** What an issue says. zod's own words stay where a schema gives no code. */
export function readIssue(issue: z.core.$ZodIssue): { code: FieldProblemCode; values: FailureValues; clause: string } {
  const { message } = issue
  const values = valuesOf(issue)
  return isCode(message)
    ? { code: message, values, clause: clause(message, values) }
    : { code: 'INVALID', values, clause: message }
}

function valuesOf(issue: z.core.$ZodIssue): FailureValues {
  if (issue.code === 'too_small') return { min: Number(issue.minimum) }
  if (issue.code === 'too_big') return { max: Number(issue.maximum) }
  return issue.code === 'custom' ? ((issue.params ?? {}) as FailureValues) : {}
}
