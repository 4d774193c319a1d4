import './scalars.ts'
import './session.ts'
import './users.ts'
import './groups.ts'
import './accounts.ts'
import './account-gauges.ts'
import './account-mutations.ts'
import './account-timeline.ts'
import './claude-accounts.ts'
import './api-keys.ts'
import './api-key-mutations.ts'
import './logs.ts'
import './rules.ts'
import './rule-bench.ts'
import './jobs.ts'
import './routes.ts'
import './totals.ts'
import './audit-log.ts'
import './ownership.ts'
import './settings.ts'
import './live/live.ts'
import type { GraphQLSchema } from 'graphql'
import { builder } from './builder.ts'
import { unscopedFields } from './scopes.ts'

/** The whole schema. Throws when a field says nowhere who may read it. */
export function buildSchema(): GraphQLSchema {
  const schema = builder.toSchema()
  const open = unscopedFields(schema)
  if (open.length > 0) throw new Error(`fields without a scope: ${open.join(', ')}`)
  return schema
}
