import { z } from 'zod'
import { changedFields } from '../../identity/audit.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { given } from '../identity/users.ts'
import { addMutation, addOkSuccess } from '../mutation.ts'
import { globalId, onlyId } from '../values.ts'
import { CreateVerdictRuleInput, createRuleCheck, UpdateVerdictRuleInput, updateRuleCheck } from './rule-input.ts'
import { BuiltInVerdict, VerdictRule } from './rule-types.ts'

builder.queryField('verdictRules', (t) =>
  t.prismaField({
    type: [VerdictRule],
    description: 'In the order in which they are asked; the first that fits decides.',
    authScopes: { admin: true },
    resolve: (query, _parent, _args, { parts }) =>
      parts.database.reader.errorRule.findMany({ ...query, orderBy: [{ position: 'asc' }, { id: 'asc' }] }),
  }),
)

builder.queryField('builtInVerdicts', (t) =>
  t.field({
    type: [BuiltInVerdict],
    description: 'What is asked when no rule fits, in this order.',
    authScopes: { admin: true },
    args: { platform: t.arg({ type: Platform, required: true, description: 'Each has a table of its own.' }) },
    resolve: (_parent, { platform }, { parts }) => [...parts.rules.builtInRowsOf(platform)],
  }),
)

const addRuleSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    description: 'The rule as it is now.',
    authScopes: { admin: true },
    fields: (t) => ({
      verdictRule: t.prismaField({
        description: 'With its new values.',
        type: VerdictRule,
        resolve: (query, { id }, _args, { parts }) =>
          parts.database.reader.errorRule.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  })

addMutation('createVerdictRule', {
  description: 'Adds a rule behind the others. From now on it is asked before the built-in table, in every process.',
  scope: 'admin',
  args: (arg) => ({ input: arg({ type: CreateVerdictRuleInput, required: true }) }),
  check: createRuleCheck,
  success: addRuleSuccess('CreateVerdictRuleSuccess'),
  failures: ['input', 'conflict'],
  locks: ['error-rules'],
  async run({ input }, context, change) {
    const id = await change(async (tx) => {
      const objectId = await context.parts.rules.create(tx, input)
      return { answer: objectId, audit: { objectType: 'VerdictRule', objectId, after: { ...input } } }
    })
    await context.parts.changed('rule', id)
    return { id }
  },
})

addMutation('updateVerdictRule', {
  description: 'Changes the fields given. What rests because of the rule goes on resting.',
  scope: 'admin',
  args: (arg) => ({ input: arg({ type: UpdateVerdictRuleInput, required: true }) }),
  check: updateRuleCheck,
  success: addRuleSuccess('UpdateVerdictRuleSuccess'),
  failures: ['input', 'not_found'],
  locks: ['error-rules'],
  async run({ input: { id, ...fields } }, context, change) {
    const draft = given(fields)
    await change(async (tx) => {
      const before = await context.parts.rules.update(tx, id, draft)
      return { answer: null, audit: { objectType: 'VerdictRule', objectId: id, ...changedFields(before, draft) } }
    })
    await context.parts.changed('rule', id)
    return { id }
  },
})

addMutation('deleteVerdictRule', {
  description: 'Deletes a rule. What rests because of it goes on resting.',
  scope: 'admin',
  args: (arg) => ({ id: arg.id({ required: true }) }),
  check: onlyId('VerdictRule'),
  success: addOkSuccess('DeleteVerdictRuleSuccess'),
  failures: ['not_found'],
  locks: ['error-rules'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { id: _, ...before } = await context.parts.rules.remove(tx, id)
      return { answer: null, audit: { objectType: 'VerdictRule', objectId: id, before } }
    })
    await context.parts.changed('rule', id)
    return { ok: true }
  },
})

addMutation('orderVerdictRules', {
  description: 'Puts the rules into this order; all of them have to be named.',
  scope: 'admin',
  args: (arg) => ({
    ids: arg.idList({ required: true, description: 'Of every rule, the first to be asked in front.' }),
  }),
  check: z.object({ ids: z.array(globalId('VerdictRule')).max(1000) }),
  success: addOkSuccess('OrderVerdictRulesSuccess'),
  failures: ['conflict'],
  locks: ['error-rules'],
  async run({ ids }, context, change) {
    await change(async (tx) => {
      const order = await context.parts.rules.order(tx, ids)
      return { answer: null, audit: { objectType: 'VerdictRule', objectId: 0, after: { order } } }
    })
    await context.parts.changed('rule')
    return { ok: true }
  },
})
