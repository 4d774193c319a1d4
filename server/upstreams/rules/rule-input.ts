import { z } from 'zod'
import { servedPlatform } from '../../accounts/account-input.ts'
import { says } from '../../failure-codes.ts'
import { objectName, wholeNumber } from '../../field-values.ts'

/** Error types and codes are identifiers; other words of a response are not kept. */
const errorWord = z.string().regex(/^[\w.*-]{1,80}$/, says('ERROR_WORD_MALFORMED'))

/** The fields of an error rule as people give them. What does not go together is found by rule-checks.ts. */
export const ruleFields = {
  name: objectName,
  platform: servedPlatform,
  enabled: z.boolean(),
  status: z.string().regex(/^(event|[2-5]\d\d(-[2-5]\d\d)?)$/, says('STATUS_MALFORMED')),
  errorType: errorWord,
  code: errorWord,
  message: z
    .string()
    .refine((text) => text !== '' && Array.from(text).length <= 300 && !/\p{Cc}/u.test(text), {
      error: says('PATTERN_MALFORMED'),
    })
    .meta({ minLength: 1, maxLength: 300 }),
  effect: z.enum(['pass', 'next', 'rate_limited', 'cooling_down', 'reauth_required', 'out_of_credit']),
  scope: z.enum(['account', 'model', 'family']),
  /** A month at most. */
  durationSeconds: wholeNumber(1, 2_678_400),
}
