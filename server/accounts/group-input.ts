import { z } from 'zod'
import { objectName } from '../field-values.ts'

/** The fields of a group as people give them. */
export const groupFields = {
  name: objectName,
  remark: z
    .string()
    .max(190, 'must have at most 190 characters')
    // SQLite returns only what stands before a NUL.
    .refine((text) => !/[^\P{Cc}\n\r\t]|\p{Cs}/u.test(text), 'must hold no control characters'),
  enabled: z.boolean(),
  returnsToPriority: z.boolean(),
  stripForeignReasoning: z.boolean(),
  shared: z.boolean(),
}
