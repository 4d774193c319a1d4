import { z } from 'zod'
import { says } from '../failure-codes.ts'
import { factorText, userName } from '../field-values.ts'

/** The fields of a user as people give them. */
export const userFields = {
  username: userName,
  password: z.string().min(10, says('TOO_SHORT')).max(200, says('TOO_LONG')),
  /** Of an administrator whom the deployment makes; DEFAULT_ADMIN_PASSWORD has the same bounds. */
  deploymentPassword: z.string().min(8, says('TOO_SHORT')).max(200, says('TOO_LONG')),
  email: z.email(says('EMAIL_MALFORMED')).max(190, says('TOO_LONG')),
  role: z.enum(['admin', 'user']),
  enabled: z.boolean(),
  chargeFactor: factorText,
}
