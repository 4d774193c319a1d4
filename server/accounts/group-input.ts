import { z } from 'zod'
import { says } from '../failure-codes.ts'
import { factorText, objectName } from '../field-values.ts'

/** The fields of a group as people give them. */
export const groupFields = {
  name: objectName,
  remark: z
    .string()
    .max(190, says('TOO_LONG'))
    // SQLite returns only what stands before a NUL.
    .refine((text) => !/[^\P{Cc}\n\r\t]|\p{Cs}/u.test(text), says('CONTROL_CHARACTERS')),
  enabled: z.boolean(),
  returnsToPriority: z.boolean(),
  stripForeignReasoning: z.boolean(),
  shared: z.boolean(),
  chargeFactor: factorText,
}
