import { z } from 'zod'
import { modelPatterns, objectName } from '../field-values.ts'

/** The fields of an API key as people give them. */
export const keyFields = {
  name: objectName,
  secret: z
    .string()
    .regex(
      /^sk-[\x21-\x7e]{17,253}$/,
      'must start with sk-, have at least 20 characters, printable ASCII without spaces',
    ),
  models: modelPatterns,
  enabled: z.boolean(),
  /** How long a replaced secret still works. */
  keepOldHours: z.int().min(0, 'must be 0 to 24').max(24, 'must be 0 to 24'),
  /** 9 000 000 USD: beyond that nano-dollars leave exact numbers. */
  limitNano: z.bigint().refine((nano) => nano <= 9_000_000_000_000_000n, 'must be at most 9000000 USD'),
  /** The same as decimal text in USD, with up to 9 digits after the point (a nano-dollar). */
  limitUsd: z
    .string({
      error: ({ input }) =>
        typeof input === 'number' ? 'must be in quotes, such as "12.50": amounts are decimal text' : undefined,
    })
    .regex(
      /^(?:0|[1-9]\d{0,6})(?:\.\d{1,9})?$/,
      'must be an amount such as "12.50", with at most 9 digits after the point',
    )
    .refine((text) => Number(text) <= 9_000_000, {
      error: 'must be at most 9000000',
      when: ({ issues }) => !issues.length,
    }),
}
