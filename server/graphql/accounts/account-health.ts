import { builder } from '../builder.ts'
import { Attempt } from '../requests/attempt-type.ts'
import { Account } from './accounts.ts'

const latest = 'among the latest 20000 attempts of all accounts in the last 24 hours'

builder.objectField(Account, 'isTested', (t) =>
  t.boolean({
    nullable: true,
    description:
      'Whether the account has ever answered: a request, a probe or a test. One that has not is shown as untested.',
    resolve: async ({ id }, _args, { batches }) => (await batches.isTested(id)) ?? false,
  }),
)

builder.objectField(Account, 'successRate', (t) =>
  t.float({
    nullable: true,
    description: `The share of its attempts that were answered, from 0 to 1, ${latest}. Errors that were the request's own are left out, and so are clients that left. It is null when there were none.`,
    async resolve({ id }, _args, { batches }) {
      const { answered, failed } = (await batches.health(id)) ?? { answered: 0, failed: 0 }
      return answered + failed === 0 ? null : answered / (answered + failed)
    },
  }),
)

builder.objectField(Account, 'lastError', (t) =>
  t.field({
    type: Attempt,
    nullable: true,
    description: `The newest attempt that the account failed, ${latest}. It is null when there was none.`,
    async resolve({ id }, _args, { batches }) {
      const key = (await batches.health(id))?.lastFailedKey
      if (key === null || key === undefined) return null
      const attempts = (await batches.attempts(key)) ?? []
      const failed = attempts.filter(({ accountId, outcome }) => accountId === id && outcome !== 'answer')
      return failed.at(-1) ?? null
    },
  }),
)
