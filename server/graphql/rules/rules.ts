import { z } from 'zod'
import { changedFields } from '../../identity/audit.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { given } from '../identity/users.ts'
import { addDeletedSuccess, addIdInput, addMutation } from '../mutation.ts'
import type { GraphqlParts } from '../server/parts.ts'
import { globalId, onlyId } from '../values.ts'
import { CreateErrorRuleInput, createRuleCheck, UpdateErrorRuleInput, updateRuleCheck } from './rule-input.ts'
import { BuiltInErrorRule, ErrorRule } from './rule-types.ts'

builder.queryField('errorRules', (t) =>
  t.prismaField({
    type: [ErrorRule],
    nullable: true,
    description: 'In the order in which they are asked; the first that fits decides.',
    authScopes: { admin: true },
    resolve: (query, _parent, _args, { parts }) => rulesInOrder(parts, query),
  }),
)

builder.queryField('builtInErrorRules', (t) =>
  t.field({
    type: [BuiltInErrorRule],
    nullable: true,
    description: 'What is asked when no rule fits, in this order.',
    authScopes: { admin: true },
    args: { platform: t.arg({ type: Platform, required: true, description: 'Each has a table of its own.' }) },
    resolve: (_parent, { platform }, { parts }) => [...parts.rules.builtInRowsOf(platform)],
  }),
)

const rulesInOrder = ({ database }: GraphqlParts, query: object) =>
  database.reader.errorRule.findMany({ ...query, orderBy: [{ position: 'asc' }, { id: 'asc' }] })

const addRuleSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    description: 'The rule as it is now.',
    authScopes: { admin: true },
    fields: (t) => ({
      errorRule: t.prismaField({
        description: 'With its new values.',
        type: ErrorRule,
        resolve: (query, { id }, _args, { parts }) =>
          parts.database.reader.errorRule.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  })

addMutation('createErrorRule', {
  description: 'Adds a rule behind the others. From now on it is asked before the built-in table, in every process.',
  scope: 'admin',
  input: CreateErrorRuleInput,
  check: createRuleCheck,
  success: addRuleSuccess('CreateErrorRuleSuccess'),
  failures: ['input', 'conflict'],
  locks: ['error-rules'],
  async run(input, context, change) {
    const id = await change(async (tx) => {
      const objectId = await context.parts.rules.create(tx, input)
      return { answer: objectId, audit: { objectType: 'ErrorRule', objectId, after: { ...input } } }
    })
    await context.parts.changed('rule', id)
    return { id }
  },
})

addMutation('updateErrorRule', {
  description: 'Changes the fields given. Accounts that are not ready because of the rule stay so.',
  scope: 'admin',
  input: UpdateErrorRuleInput,
  check: updateRuleCheck,
  success: addRuleSuccess('UpdateErrorRuleSuccess'),
  failures: ['input', 'not_found'],
  locks: ['error-rules'],
  async run({ id, ...fields }, context, change) {
    const draft = given(fields)
    await change(async (tx) => {
      const before = await context.parts.rules.update(tx, id, draft)
      return { answer: null, audit: { objectType: 'ErrorRule', objectId: id, ...changedFields(before, draft) } }
    })
    await context.parts.changed('rule', id)
    return { id }
  },
})

addMutation('deleteErrorRule', {
  description: 'Deletes a rule. Accounts that are not ready because of it stay so.',
  scope: 'admin',
  input: addIdInput('DeleteErrorRuleInput', 'ErrorRule'),
  check: onlyId('ErrorRule'),
  success: addDeletedSuccess('DeleteErrorRuleSuccess', 'ErrorRule'),
  failures: ['not_found'],
  locks: ['error-rules'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { id: _, ...before } = await context.parts.rules.remove(tx, id)
      return { answer: null, audit: { objectType: 'ErrorRule', objectId: id, before } }
    })
    await context.parts.changed('rule', id)
    return { id }
  },
})

const ReorderErrorRulesInput = builder.inputType('ReorderErrorRulesInput', {
  description: 'A new order of the rules.',
  fields: (t) => ({
    ids: t.idList({
      required: true,
      description: 'The global ids of all rules, in the order in which they are tried.',
    }),
  }),
})

const ReorderErrorRulesSuccess = builder.objectRef<object>('ReorderErrorRulesSuccess').implement({
  description: 'The rules are in the new order.',
  authScopes: { admin: true },
  fields: (t) => ({
    errorRules: t.prismaField({
      type: [ErrorRule],
      description: 'All rules in their new order.',
      resolve: (query, _parent, _args, { parts }) => rulesInOrder(parts, query),
    }),
  }),
})

addMutation('reorderErrorRules', {
  description: 'Puts the rules into this order; all of them have to be named.',
  scope: 'admin',
  input: ReorderErrorRulesInput,
  check: z.object({ ids: z.array(globalId('ErrorRule')).max(1000) }),
  success: ReorderErrorRulesSuccess,
  failures: ['conflict'],
  locks: ['error-rules'],
  async run({ ids }, context, change) {
    await change(async (tx) => {
      const order = await context.parts.rules.order(tx, ids)
      return { answer: null, audit: { objectType: 'ErrorRule', objectId: 0, after: { order } } }
    })
    await context.parts.changed('rule')
    return {}
  },
})
