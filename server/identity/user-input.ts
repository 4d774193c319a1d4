import { z } from 'zod'
import { userName } from '../field-values.ts'

/** The fields of a user as people give them. */
export const userFields = {
  username: userName,
  password: z.string().min(10, 'must have at least 10 characters').max(200, 'must have at most 200 characters'),
  /** Of an administrator whom the deployment makes; DEFAULT_ADMIN_PASSWORD has the same bounds. */
  deploymentPassword: z.string().min(8).max(200),
  email: z.email('must be an e-mail address').max(190, 'is too long'),
  role: z.enum(['admin', 'user']),
  enabled: z.boolean(),
}
