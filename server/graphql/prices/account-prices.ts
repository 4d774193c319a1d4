import { z } from 'zod'
import { says } from '../../failure-codes.ts'
import { formatFactor } from '../../money/usd.ts'
import type { AccountPrice } from '../../prices/price-card.ts'
import { priceEdits } from '../../prices/price-edits.ts'
import { cardFields } from '../../prices/price-input.ts'
import { ownAccount } from '../accounts/account-mutations.ts'
import { Account } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import { globalId } from '../values.ts'
import { momentOrNull, PriceCardType } from './price-card-type.ts'
import { accountTiers, PriceTierInput } from './price-input.ts'
import { editedBy } from './price-mutations.ts'

const AccountPriceType = builder.objectRef<AccountPrice>('AccountPrice').implement({
  description: 'What an account charges in place of the list price: a multiplier on it, or rates of its own.',
  authScopes: { user: true },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'For `endAccountPrice`.' }),
    model: t.string({
      nullable: true,
      description: 'Of this model, or pattern with *; null: of every model. The narrowest one counts.',
      resolve: ({ pattern }) => (pattern === '*' ? null : pattern),
    }),
    multiplier: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'On everything of the list price; null: the card has the rates.',
      resolve: ({ multiplierBp }) => (multiplierBp === null ? null : formatFactor(multiplierBp)),
    }),
    card: t.field({
      type: PriceCardType,
      nullable: true,
      description: 'The rates of its own; null: the list price is multiplied.',
      resolve: ({ cardId }, _args, { parts }) => (cardId === null ? null : (parts.prices.book().card(cardId) ?? null)),
    }),
    from: t.field({
      type: 'DateTime',
      description: 'It holds from then on.',
      resolve: ({ effectiveFromMs }) => new Date(effectiveFromMs),
    }),
    to: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'It holds until just before; null: no known end.',
      resolve: ({ effectiveToMs }) => momentOrNull(effectiveToMs),
    }),
    retiredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'It prices nothing from then on; null: it is in use.',
      resolve: ({ retiredAtMs }) => momentOrNull(retiredAtMs),
    }),
  }),
})

builder.prismaObjectFields(Account, (t) => ({
  prices: t.field({
    type: [AccountPriceType],
    description: 'Prices of its own, the newest first, those that have ended too; none: list prices.',
    resolve: ({ id }, _args, { parts }) =>
      parts.prices
        .book()
        .accountPrices.filter(({ accountId }) => accountId === id)
        .reverse(),
  }),
}))

const success = (name: string) =>
  builder.objectRef<{ id: number; accountId: number }>(name).implement({
    description: 'The account with its prices.',
    authScopes: { admin: true },
    fields: (t) => ({
      account: t.prismaField({
        type: Account,
        description: 'The account with its prices as they are now.',
        resolve: (query, { accountId }, _args, { parts }) =>
          parts.database.reader.account.findUniqueOrThrow({ ...query, where: { id: accountId } }),
      }),
    }),
  })

const SetAccountPriceInput = builder.inputType('SetAccountPriceInput', {
  description: 'What an account charges from a moment on: a multiplier on the list price, or rates of its own.',
  fields: (t) => ({
    accountId: t.id({ required: true, description: 'The global id of the Account.' }),
    model: t.string({ description: 'A name, or a pattern with *. Absent: every model.' }),
    from: t.field({ type: 'DateTime', description: 'Absent: now.' }),
    multiplier: t.field({
      type: 'Decimal',
      description: 'Decimal text up to 100, with at most 4 digits after the point, such as "0.85".',
    }),
    tiers: t.field({ type: [PriceTierInput], description: 'In place of a multiplier.' }),
    webSearch: t.field({ type: 'NanoUsd', description: 'With tiers: of one web search. Absent: none is known.' }),
  }),
})

addMutation('setAccountPrice', {
  description:
    'Sets what an account charges, for every model or for some. What it charged before for the same model ends there.',
  scope: 'admin',
  input: SetAccountPriceInput,
  check: z
    .object({
      accountId: globalId('Account'),
      model: cardFields.model.nullish().transform((model) => model ?? '*'),
      from: z.date().nullish(),
      multiplier: cardFields.multiplier.nullish(),
      tiers: accountTiers.nullish(),
      webSearch: cardFields.webSearch.nullish(),
    })
    .refine(({ multiplier, tiers }) => (multiplier == null) !== (tiers == null), {
      error: says('MULTIPLIER_OR_RATES'),
      path: ['multiplier'],
    }),
  success: success('SetAccountPriceSuccess'),
  failures: ['input', 'not_found'],
  locks: ['price-cards'],
  async run({ accountId, model: pattern, from, multiplier, tiers, webSearch }, context, change) {
    const by = editedBy(context)
    const { viewer, parts } = context
    const of = { accountId, pattern, fromMs: from?.getTime() ?? by.nowMs }
    const id = await change(async (tx) => {
      const { name } = await ownAccount(tx, viewer, accountId)
      const charged = tiers
        ? {
            terms: {
              provider: 'account',
              pattern,
              source: `own rates of ${name}`,
              geoUsBp: 10_000,
              batchBp: 10_000,
              webSearchNano: webSearch ?? 0,
              peaks: [],
              tiers,
            },
          }
        : { multiplierBp: multiplier ?? 10_000 }
      const answer = await priceEdits.setAccountPrice(tx, { ...of, ...charged }, by)
      const audit = { objectType: 'Account', objectId: accountId, after: { price: { ...of, ...charged } } }
      return { answer, audit }
    })
    await parts.changed('price')
    return { id, accountId }
  },
})

const EndAccountPriceInput = builder.inputType('EndAccountPriceInput', {
  description: 'Which price of an account.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the AccountPrice.' }) }),
})

addMutation('endAccountPrice', {
  description: 'Ends a price of an account now: from now on the list price holds again. Settled rows keep their price.',
  scope: 'admin',
  input: EndAccountPriceInput,
  check: z.object({ id: z.string().transform((id) => (/^\d{1,9}$/.test(id) ? Number(id) : -1)) }),
  success: success('EndAccountPriceSuccess'),
  failures: ['not_found'],
  locks: ['price-cards'],
  async run({ id }, context, change) {
    const accountId = await change(async (tx) => {
      const { accountId: of, pattern } = await priceEdits.endAccountPrice(tx, id, editedBy(context))
      return { answer: of, audit: { objectType: 'Account', objectId: of, after: { endedPrice: { id, pattern } } } }
    })
    await context.parts.changed('price')
    return { id, accountId }
  },
})
