import { z } from 'zod'
import { says } from '../failure-codes.ts'
import { modelPatterns, objectName, wholeNumber } from '../field-values.ts'
import { readNetwork } from '../networks.ts'

const maxEntries = 100

/** A network in CIDR form; a single address becomes a network of its own. */
const network = z.string().transform((text, context): string => {
  const found = readNetwork(text.trim())
  if (found === undefined) context.addIssue({ code: 'custom', message: says('NETWORK_MALFORMED') })
  return found ?? ''
})

const clientPattern = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,118}[\x21-\x7e])?$/, says('CLIENT_PATTERN_MALFORMED'))

/** The fields of an API key as people give them. */
export const keyFields = {
  name: objectName,
  secret: z.string().regex(/^sk-[\x21-\x7e]{17,253}$/, says('SECRET_MALFORMED')),
  models: modelPatterns,
  enabled: z.boolean(),
  /** Empty: it may be used from everywhere. */
  allowedAddresses: z.array(network).max(maxEntries, says('TOO_MANY_ENTRIES')),
  /** Patterns of the user agent; empty: every program. */
  allowedClients: z.array(clientPattern).max(maxEntries, says('TOO_MANY_ENTRIES')),
  /** How long a replaced secret still works. */
  keepOldHours: wholeNumber(0, 24),
  requestsPerMinute: wholeNumber(1, 1_000_000),
  tokensPerMinute: wholeNumber(1, 2_000_000_000),
  concurrency: wholeNumber(1, 10_000),
  /** After the first use. */
  validForDays: wholeNumber(1, 3650),
  /** Of the rolling window. */
  rollingHours: wholeNumber(1, 720),
  /** 9 000 000 USD: beyond that nano-dollars leave exact numbers. */
  limitNano: z.bigint().refine((nano) => nano <= 9_000_000_000_000_000n, says('AMOUNT_TOO_LARGE')),
  /** The same as decimal text in USD, with up to 9 digits after the point (a nano-dollar). */
  limitUsd: z
    .string({
      error: ({ input }) => (typeof input === 'number' ? says('AMOUNT_NOT_TEXT') : undefined),
    })
    .regex(/^(?:0|[1-9]\d{0,6})(?:\.\d{1,9})?$/, says('AMOUNT_MALFORMED'))
    .refine((text) => Number(text) <= 9_000_000, {
      error: says('AMOUNT_TOO_LARGE'),
      when: ({ issues }) => !issues.length,
    }),
}
