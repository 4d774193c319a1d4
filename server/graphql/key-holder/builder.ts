import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import ValidationPlugin from '@pothos/plugin-validation'
import type { ApiKey } from '../../keys/api-key.ts'
import type { LimitStatusOf } from '../../keys/limit-status.ts'
import { tooComplex, wrongArguments } from '../refused-query.ts'
import { count, dateTime, nanoUsd } from '../scalars.ts'
import type { GraphqlParts } from '../server/parts.ts'

/** What the key holders' door needs. Nothing of it leads to accounts' names, owners or other keys. */
export type KeyHolderParts = Pick<
  GraphqlParts,
  'accounts' | 'clientAddress' | 'database' | 'keys' | 'live' | 'log' | 'now' | 'statistics'
> & { limitsOf: LimitStatusOf }

export interface KeyContext {
  parts: KeyHolderParts
  /** Whose holder asks. A snapshot: a change of the key replaces it. */
  key: ApiKey
  /** The key as it is now; undefined when it was deleted or got another secret. */
  keyNow: () => ApiKey | undefined
}

/** The builder of a schema of its own, for whoever holds one key. Everything in it is of that key, so it needs no scopes. */
export const builder = new SchemaBuilder<{
  Context: KeyContext
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    NanoUsd: { Input: bigint; Output: bigint }
    Count: { Input: number; Output: number | bigint }
  }
}>(
  withoutOtherPlugins({
    plugins: [ValidationPlugin, ComplexityPlugin],
    defaultFieldNullability: false,
    validation: { validationError: wrongArguments },
    complexity: {
      defaultComplexity: 1,
      defaultListMultiplier: 10,
      limit: { complexity: 5_000, breadth: 200 },
      complexityError: tooComplex,
    },
  }),
)

/** Pothos' types want the options of every plugin that the program imports. This builder loads two of them. */
function withoutOtherPlugins(options: object): never {
  return options as never
}

builder.scalarType('DateTime', dateTime)
builder.scalarType('NanoUsd', nanoUsd)
builder.scalarType('Count', count)

builder.queryType({ description: 'What the holder of one API key may read: only what concerns that key.' })
builder.subscriptionType({
  description: 'What happens to requests of the key, as it happens, over server-sent events.',
})
