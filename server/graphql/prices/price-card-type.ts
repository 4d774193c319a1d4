import { formatFactor, formatRate } from '../../money/usd.ts'
import type { PeakHours, PriceCard, PriceTier } from '../../prices/price-card.ts'
import { Account } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { User } from '../identity/users.ts'

const rate = 'US dollars per million tokens.'

export const PriceOrigin = builder.enumType('PriceOrigin', {
  description: 'Where a price card comes from. Cards of people come before built-in ones.',
  values: {
    BUILT_IN: { value: 'built_in', description: 'With the program.' },
    IMPORTED: { value: 'imported', description: 'From a price file.' },
    MANUAL: { value: 'manual', description: 'Entered by somebody.' },
  } as const,
})

export const PriceSpeed = builder.enumType('PriceSpeed', {
  description: 'The speed that a response says it was made at.',
  values: {
    STANDARD: { value: 'standard', description: 'Unless the response says otherwise.' },
    FAST: { value: 'fast', description: 'Has rates of its own where a card has them.' },
  } as const,
})

export const PriceTierType = builder.objectRef<PriceTier>('PriceTier').implement({
  description: 'Rates for prompts of more than so many tokens. They hold for every token of the request.',
  authScopes: { user: true },
  fields: (t) => ({
    abovePromptTokens: t.exposeInt('abovePromptTokens', { description: 'Prompts of more tokens than this; 0: all.' }),
    speed: t.field({ type: PriceSpeed, description: 'Of the response.', resolve: ({ speed }) => speed }),
    input: t.field({ type: 'Decimal', description: rate, resolve: (tier) => formatRate(tier.inputPico) }),
    output: t.field({ type: 'Decimal', description: rate, resolve: (tier) => formatRate(tier.outputPico) }),
    cacheWrite5m: t.field({ type: 'Decimal', description: rate, resolve: (tier) => formatRate(tier.cacheWrite5mPico) }),
    cacheWrite1h: t.field({ type: 'Decimal', description: rate, resolve: (tier) => formatRate(tier.cacheWrite1hPico) }),
    cacheRead: t.field({ type: 'Decimal', description: rate, resolve: (tier) => formatRate(tier.cacheReadPico) }),
    derived: t.exposeBoolean('derived', {
      description: 'A cache rate is computed from the input rate, not published.',
    }),
  }),
})

const PeakHoursType = builder.objectRef<PeakHours>('PeakHours').implement({
  description: 'Hours of the day, UTC, in which the rates of tokens are multiplied.',
  authScopes: { user: true },
  fields: (t) => ({
    fromHour: t.exposeInt('fromHour', { description: 'Included.' }),
    toHour: t.exposeInt('toHour', { description: 'Not included.' }),
    factor: t.field({ type: 'Decimal', description: 'On all rates of tokens.', resolve: ({ bp }) => formatFactor(bp) }),
  }),
})

/** null stands for always. */
export const momentOrNull = (atMs: number | null): Date | null => (atMs === null || atMs === 0 ? null : new Date(atMs))

export const PriceCardType = builder.objectRef<PriceCard>('PriceCard')
PriceCardType.implement({
  description: 'The price of a model during a time. A card never changes; an edit adds another one.',
  authScopes: { user: true },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'As rows of requests name it in `priceCardId`.' }),
    model: t.exposeString('pattern', { description: 'Small letters; with * for anything.' }),
    vendor: t.exposeString('provider', { description: 'Whose model it is.' }),
    origin: t.field({ type: PriceOrigin, description: 'Where it comes from.', resolve: ({ origin }) => origin }),
    source: t.exposeString('source', { description: 'Where its figures come from, for people.' }),
    checkedAt: t.field({
      type: 'Date',
      description: 'The day on which the figures were compared with their source.',
      resolve: ({ checkedAt }) => checkedAt,
    }),
    from: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'It holds from then on; null: always.',
      resolve: ({ effectiveFromMs }) => momentOrNull(effectiveFromMs),
    }),
    to: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'It holds until just before; null: no known end. A later card comes before it all the same.',
      resolve: ({ effectiveToMs }) => momentOrNull(effectiveToMs),
    }),
    confirmed: t.exposeBoolean('confirmed', {
      description: 'False: its begin lay ahead when it was added. It prices nothing until somebody confirms it.',
    }),
    retiredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'It prices nothing from then on; null: it is in use.',
      resolve: ({ retiredAtMs }) => momentOrNull(retiredAtMs),
    }),
    inForce: t.boolean({
      description: 'Whether it prices its model at this moment, on accounts without prices of their own.',
      resolve: (card, _args, { parts }) =>
        card.accountId === 0 &&
        (card.provider === 'fallback' || parts.prices.book().find(card.pattern, parts.now()).card.id === card.id),
    }),
    tiers: t.field({
      type: [PriceTierType],
      description: 'Standard speed first, by their lengths.',
      resolve: ({ tiers }) => [...tiers],
    }),
    geoUsFactor: t.field({
      type: 'Decimal',
      description: 'On all tokens of a response that was made in the US; "1": none.',
      resolve: ({ geoUsBp }) => formatFactor(geoUsBp),
    }),
    batchFactor: t.field({
      type: 'Decimal',
      description: 'On all tokens of a batch; "1": none.',
      resolve: ({ batchBp }) => formatFactor(batchBp),
    }),
    webSearch: t.field({
      type: 'NanoUsd',
      description: 'Of one web search; "0": no price is known.',
      resolve: ({ webSearchNano }) => BigInt(webSearchNano),
    }),
    peakHours: t.field({
      type: [PeakHoursType],
      description: 'Usually none.',
      resolve: ({ peaks }) => [...peaks],
    }),
    account: t.field({
      type: Account,
      nullable: true,
      description: 'The account whose own rates these are; null for a list price, or when it is not yours to see.',
      resolve: ({ accountId }, _args, { batches }) => (accountId === 0 ? null : batches.account(accountId)),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was added; null for built-in cards.',
      resolve: ({ createdAtMs }) => momentOrNull(createdAtMs),
    }),
    createdBy: t.field({
      type: User,
      nullable: true,
      description: 'Who added it; null for built-in cards, or when that person is not yours to see.',
      resolve: ({ createdById }, _args, { batches }) => (createdById === 0 ? null : batches.user(createdById)),
    }),
    history: t.field({
      type: [PriceCardType],
      description: 'All cards of the same model and account, this one too, the newest first; those out of use as well.',
      resolve: ({ pattern, accountId }, _args, { parts }) =>
        parts.prices
          .book()
          .cards.filter((card) => card.pattern === pattern && card.accountId === accountId)
          .sort((a, b) => b.effectiveFromMs - a.effectiveFromMs || b.createdAtMs - a.createdAtMs),
    }),
  }),
})
