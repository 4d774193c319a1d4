import type { InputFieldBuilder, SchemaTypes } from '@pothos/core'
import { keyFields } from '../../keys/key-input.ts'
import type { builder } from '../builder.ts'
import { unlessAbsent } from '../values.ts'

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T extends SchemaTypes> ? T : never

const none = 'null: no limit. At most 9000000 USD.'

/** The cost limits of a key, a person or a group in an input. */
export const costLimitInputs = (t: InputFieldBuilder<Types, 'InputObject'>) => ({
  dailyLimit: t.field({ description: `Of a day. ${none}`, type: 'NanoUsd' }),
  weeklyLimit: t.field({ description: `Of a week. ${none}`, type: 'NanoUsd' }),
  monthlyLimit: t.field({ description: `Of a month. ${none}`, type: 'NanoUsd' }),
  totalLimit: t.field({ description: `Of all time. ${none}`, type: 'NanoUsd' }),
  rollingLimit: t.field({ description: `Of the last \`rollingHours\`. ${none}`, type: 'NanoUsd' }),
  rollingHours: t.int({ description: 'The length of the rolling window, 1 to 720; 5 in a new object.' }),
})

/** Their checks. */
export const costLimitChecks = {
  dailyLimit: keyFields.limitNano.nullish(),
  weeklyLimit: keyFields.limitNano.nullish(),
  monthlyLimit: keyFields.limitNano.nullish(),
  totalLimit: keyFields.limitNano.nullish(),
  rollingLimit: keyFields.limitNano.nullish(),
  rollingHours: unlessAbsent(keyFields.rollingHours),
}

interface GivenLimits {
  dailyLimit?: bigint | null | undefined
  weeklyLimit?: bigint | null | undefined
  monthlyLimit?: bigint | null | undefined
  totalLimit?: bigint | null | undefined
  rollingLimit?: bigint | null | undefined
  rollingHours?: number | undefined
}

type LimitName = Exclude<keyof GivenLimits, 'rollingHours'>
type LimitColumns = { [Name in `${LimitName}Nano`]: bigint | null | undefined }

/** Limits under the names of the columns, and the other fields. */
export function withLimitColumns<Fields extends GivenLimits>(fields: Fields): Omit<Fields, LimitName> & LimitColumns {
  const { dailyLimit, weeklyLimit, monthlyLimit, totalLimit, rollingLimit, ...rest } = fields
  return {
    ...rest,
    dailyLimitNano: dailyLimit,
    weeklyLimitNano: weeklyLimit,
    monthlyLimitNano: monthlyLimit,
    totalLimitNano: totalLimit,
    rollingLimitNano: rollingLimit,
  }
}
