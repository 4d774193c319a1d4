import './scalars.ts'
import './identity/session.ts'
import './identity/users.ts'
import './groups/groups.ts'
import './accounts/accounts.ts'
import './accounts/account-gauges.ts'
import './accounts/account-health.ts'
import './accounts/account-mutations.ts'
import './accounts/account-timeline.ts'
import './accounts/account-presets.ts'
import './accounts/claude-accounts.ts'
import './groups/group-members.ts'
import './keys/api-keys.ts'
import './keys/api-key-mutations.ts'
import './keys/owner-limits.ts'
import './groups/group-contents.ts'
import './requests/requests.ts'
import './rejections/rejections.ts'
import './rules/rules.ts'
import './rules/rule-bench.ts'
import './jobs/jobs.ts'
import './jobs/probes.ts'
import './requests/routes.ts'
import './statistics/usage.ts'
import './statistics/object-use.ts'
import './statistics/sessions.ts'
import './requests/fallback-priced-models.ts'
import './identity/audit-log.ts'
import './ownership.ts'
import './settings/settings.ts'
import './live/subscriptions.ts'
import './live/cost-totals.ts'
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
