import { z } from 'zod'
import { servedPlatform } from '../../accounts/account-input.ts'
import { objectName, wholeNumber } from '../../field-values.ts'

/** Error types and codes are identifiers; other words of a response are not kept. */
const errorWord = z.string().regex(/^[\w.*-]{1,80}$/, 'must have 1 to 80 letters, digits, or _ . - and * for anything')

/** The fields of an error rule as people give them. What does not go together is found by rule-checks.ts. */
export const ruleFields = {
  name: objectName,
  platform: servedPlatform,
  enabled: z.boolean(),
  status: z
    .string()
    .regex(/^(event|[2-5]\d\d(-[2-5]\d\d)?)$/, 'must be a status such as 400, a range such as 500-599, or event'),
  errorType: errorWord,
  code: errorWord,
  message: z
    .string()
    .refine((text) => text !== '' && Array.from(text).length <= 300 && !/\p{Cc}/u.test(text), {
      error: 'must have 1 to 300 characters on one line, and * for anything',
    })
    .meta({ minLength: 1, maxLength: 300 }),
  effect: z.enum(['pass', 'next', 'rate_limited', 'cooling_down', 'reauth_required', 'out_of_credit']),
  scope: z.enum(['account', 'model', 'family']),
  /** A month at most. */
  durationSeconds: wholeNumber(1, 2_678_400, 'must be at most 2678400, which is 31 days'),
}
