import { formatFactor, formatRate } from '../../money/usd.ts'
import { type AmountLine, linesOf, type PricedUse } from '../../prices/cost.ts'
import { aliasRulesOf, type ExplainedPrice, explainPrice } from '../../prices/explain.ts'
import { aliasRules } from '../../prices/model-aliases.ts'
import type { StoredAttempt, StoredRequest } from '../../statistics/statistics.ts'
import { builder } from '../builder.ts'
import { Attempt } from '../requests/attempt-type.ts'
import { storedRequest } from '../requests/request-view.ts'
import { PriceCardType, PriceTierType } from './price-card-type.ts'
import { PriceSource } from './price-cards.ts'

const ruleTexts: Record<(typeof aliasRules)[number], string> = {
  context_mark: 'The mark of a long context, [1m], is left out.',
  platform_prefix: 'The name of the service in front is left out, such as bedrock/.',
  bedrock_arn: 'The ARN of Bedrock in front is left out.',
  region_prefix: 'The region in front is left out, such as us.',
  version_suffix: 'The version of Bedrock at the end is left out, such as -v1:0.',
  vendor_prefix: 'The vendor in front is left out, such as anthropic/.',
  vertex_path: 'The path of Vertex in front is left out.',
  latest_suffix: 'The mark of the newest version is left out, such as @latest.',
  offered_name: 'The name is one under which this relay offers models of others, claude-via-….',
  variant_suffix: 'The variant at the end is left out, such as :free.',
  snapshot_date: 'The date of the snapshot is left out, such as -20250929.',
  version_point: 'A point in the version is written as -.',
}

const AliasRuleType = builder.enumType('AliasRule', {
  description: 'A rule by which the name of a model leads to the name that has a price card.',
  values: Object.fromEntries(
    aliasRules.map((rule) => [rule.toUpperCase(), { value: rule, description: ruleTexts[rule] }]),
  ) as Record<string, { value: (typeof aliasRules)[number]; description: string }>,
})

const TokenClass = builder.enumType('BilledClass', {
  description: 'What is billed at a rate of its own.',
  values: {
    INPUT: { value: 'input', description: 'Input read anew.' },
    OUTPUT: { value: 'output', description: 'Output, with thinking.' },
    CACHE_WRITE_5M: { value: 'cacheWrite5m', description: 'Written into the cache for five minutes.' },
    CACHE_WRITE_1H: { value: 'cacheWrite1h', description: 'Written into the cache for an hour.' },
    CACHE_READ: { value: 'cacheRead', description: 'Read from the cache.' },
    WEB_SEARCHES: { value: 'webSearches', description: 'Searches that the upstream charges by number.' },
  } as const,
})

const CostLine = builder.objectRef<AmountLine>('CostLine').implement({
  description: 'A count times its rate and all factors.',
  authScopes: { user: true },
  fields: (t) => ({
    class: t.field({ type: TokenClass, description: 'What was counted.', resolve: ({ tokenClass }) => tokenClass }),
    count: t.expose('count', { type: 'Count', description: 'Tokens, or searches.' }),
    rate: t.field({
      type: 'Decimal',
      description: 'US dollars per million of them, before the factors.',
      resolve: ({ ratePico }) => formatRate(ratePico),
    }),
    exactCost: t.field({
      type: 'Decimal',
      description: 'In nano-USD with the factors, before it is rounded: only the whole cost is rounded, once.',
      resolve: ({ exactNano }) => exactNano,
    }),
  }),
})

const CostModifier = builder.objectRef<{ name: string; bp: number }>('CostModifier').implement({
  description: 'A factor of the card on all rates of tokens, or the speed whose rates were taken.',
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name is geo_us, batch, peak or fast.' }),
    factor: t.field({
      type: 'Decimal',
      description: 'The factor; "1" for fast, whose rates stand in a tier of its own.',
      resolve: ({ bp }) => formatFactor(bp),
    }),
  }),
})

const ExplainedUse = builder.objectRef<PricedUse>('ExplainedUse').implement({
  description: 'What one model was used for, and everything that priced it.',
  authScopes: { user: true },
  fields: (t) => ({
    model: t.exposeString('model', { description: 'As the upstream reported it.' }),
    card: t.field({ type: PriceCardType, description: 'The card that priced it.', resolve: ({ found }) => found.card }),
    source: t.field({ type: PriceSource, description: 'How it was found.', resolve: ({ found }) => found.source }),
    aliasRules: t.field({
      type: [AliasRuleType],
      description: 'The rules that led from the model to the card, in their order.',
      resolve: aliasRulesOf,
    }),
    tier: t.field({ type: PriceTierType, description: 'The rates, by length and speed.', resolve: ({ tier }) => tier }),
    modifiers: t.field({
      type: [CostModifier],
      description: 'Factors of the card that applied.',
      resolve: ({ modifiers }) => modifiers,
    }),
    multiplier: t.field({
      type: 'Decimal',
      description: 'Of the account on everything; "1": none.',
      resolve: ({ found }) => formatFactor(found.multiplierBp),
    }),
    lines: t.field({ type: [CostLine], description: 'Only what was used.', resolve: linesOf }),
  }),
})

interface Explained {
  attempt: StoredAttempt
  price: ExplainedPrice
}

const ExplainedAttempt = builder.objectRef<Explained>('ExplainedAttempt').implement({
  description: 'What an attempt cost, and why.',
  authScopes: { user: true },
  fields: (t) => ({
    attempt: t.field({
      type: Attempt,
      description: 'With its account, its cost, and whether the key is charged or the pool absorbs it.',
      resolve: ({ attempt }) => attempt,
    }),
    uses: t.field({
      type: [ExplainedUse],
      description: 'The model itself first, then others that were used beside it. Empty when nothing was priced.',
      resolve: ({ price }) => price.uses,
    }),
    flags: t.stringList({
      description: 'Remarks on the price, such as fallback_price or derived_rate.',
      resolve: ({ price }) => [...price.flags],
    }),
    matches: t.boolean({
      description: 'Whether the uses add up to the cost in the ledger, to the nano-dollar.',
      resolve: ({ attempt, price }) => price.costNano === attempt.costNano,
    }),
  }),
})

const CostExplanation = builder.objectRef<{ row: StoredRequest; attempts: Explained[] }>('CostExplanation').implement({
  description: 'Everything that a request was priced by, as it was when it was priced.',
  authScopes: { user: true },
  fields: (t) => ({
    cost: t.field({
      type: 'NanoUsd',
      description: 'What the charged attempt costs by the price book.',
      resolve: ({ row }) => row.costNano,
    }),
    absorbed: t.field({
      type: 'NanoUsd',
      description: 'What the other attempts cost; nobody is billed for it.',
      resolve: ({ attempts }) =>
        attempts.reduce((sum, { attempt }) => (attempt.charged ? sum : sum + attempt.costNano), 0n),
    }),
    groupChargeFactor: t.field({
      type: 'Decimal',
      description: 'Of its group when it began.',
      resolve: ({ row }) => formatFactor(row.groupChargeBp),
    }),
    userChargeFactor: t.field({
      type: 'Decimal',
      description: 'Of the owner of its key when it began.',
      resolve: ({ row }) => formatFactor(row.userChargeBp),
    }),
    billed: t.field({
      type: 'NanoUsd',
      description: 'The cost times both factors, rounded half-up.',
      resolve: ({ row }) => row.billedNano,
    }),
    flags: t.stringList({
      description: 'Remarks on usage and price of the charged attempt.',
      resolve: ({ row }) => row.flags.split(',').filter(Boolean),
    }),
    attempts: t.field({
      type: [ExplainedAttempt],
      description: 'In the order in which they were made.',
      resolve: ({ attempts }) => attempts,
    }),
  }),
})

builder.queryField('explainCost', (t) =>
  t.field({
    type: CostExplanation,
    nullable: true,
    description: 'Why a settled request costs what it costs; null while it runs, or when it is not yours to see.',
    authScopes: { user: true },
    args: { requestId: t.arg.string({ required: true, description: 'The whole of it: req_….' }) },
    async resolve(_parent, { requestId }, context) {
      const row = await storedRequest(requestId, context)
      if (!row) return null
      const book = context.parts.prices.book()
      const attempts = (await context.batches.attempts(row.id)) ?? []
      return { row, attempts: attempts.map((attempt) => ({ attempt, price: explainPrice(attempt, book) })) }
    },
  }),
)
