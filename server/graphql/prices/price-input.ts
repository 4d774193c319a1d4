import { z } from 'zod'
import { says } from '../../failure-codes.ts'
import { cardFields, tierFrom } from '../../prices/price-input.ts'
import { builder } from '../builder.ts'
import { PriceSpeed } from './price-card-type.ts'

const rate = 'US dollars per million tokens as decimal text, such as "3.75", with at most 6 digits after the point.'
const cacheRate = `${rate} Absent: computed from the input rate, and flagged.`

export const PriceTierInput = builder.inputType('PriceTierInput', {
  description: 'Rates for prompts of more than so many tokens.',
  fields: (t) => ({
    abovePromptTokens: t.int({
      description: 'Prompts of more tokens than this; the first tier of a speed has 0.',
      defaultValue: 0,
    }),
    speed: t.field({ type: PriceSpeed, description: 'Of the response.', defaultValue: 'standard' }),
    input: t.field({ type: 'Decimal', required: true, description: rate }),
    output: t.field({ type: 'Decimal', required: true, description: rate }),
    cacheWrite5m: t.field({ type: 'Decimal', description: cacheRate }),
    cacheWrite1h: t.field({ type: 'Decimal', description: cacheRate }),
    cacheRead: t.field({ type: 'Decimal', description: cacheRate }),
  }),
})

const PeakHoursInput = builder.inputType('PeakHoursInput', {
  description: 'Hours of the day, UTC, in which the rates of tokens are multiplied.',
  fields: (t) => ({
    fromHour: t.int({ required: true, description: 'Included, 0 to 23.' }),
    toHour: t.int({ required: true, description: 'Not included, 1 to 24.' }),
    factor: t.field({ type: 'Decimal', required: true, description: 'On all rates of tokens, such as "2".' }),
  }),
})

const factorText = 'Decimal text up to 100, with at most 4 digits after the point.'
const confirmText =
  'A card that begins later than now prices nothing until somebody confirms it. true: it is confirmed at once.'

export const AddPriceCardInput = builder.inputType('AddPriceCardInput', {
  description: 'A new list price. The card of people that prices the model today ends where this one begins.',
  fields: (t) => ({
    model: t.string({ required: true, description: 'A name in any case, or a pattern with *.' }),
    vendor: t.string({ required: true, description: 'Whose model it is, such as anthropic.' }),
    from: t.field({ type: 'DateTime', description: 'Absent: now.' }),
    to: t.field({ type: 'DateTime', description: 'Absent: no known end.' }),
    tiers: t.field({
      type: [PriceTierInput],
      required: true,
      description: 'Of each speed in the order of their lengths.',
    }),
    geoUsFactor: t.field({
      type: 'Decimal',
      description: `On tokens of responses made in the US. ${factorText} Absent: "1".`,
    }),
    batchFactor: t.field({ type: 'Decimal', description: `On tokens of batches. ${factorText} Absent: "1".` }),
    webSearch: t.field({ type: 'NanoUsd', description: 'Of one web search. Absent: none is known.' }),
    peakHours: t.field({ type: [PeakHoursInput], description: 'At most 12. Absent: none.' }),
    source: t.string({ required: true, description: 'Where the figures come from, for people.' }),
    confirm: t.boolean({ description: confirmText, defaultValue: false }),
  }),
})

export const EditPriceCardInput = builder.inputType('EditPriceCardInput', {
  description: 'A copy of a card with the fields given. Rows that the card priced keep it.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The card to copy.' }),
    from: t.field({
      type: 'DateTime',
      description: 'Absent: now. At the begin of a card of people, or before it, the copy takes its place.',
    }),
    to: t.field({ type: 'DateTime', description: 'With null it has no known end. Absent: as the card.' }),
    tiers: t.field({ type: [PriceTierInput], description: 'In place of the old ones.' }),
    geoUsFactor: t.field({ type: 'Decimal', description: factorText }),
    batchFactor: t.field({ type: 'Decimal', description: factorText }),
    webSearch: t.field({ type: 'NanoUsd', description: 'Of one web search.' }),
    peakHours: t.field({ type: [PeakHoursInput], description: 'In place of the old ones; [] clears.' }),
    source: t.string({ description: 'Where the figures come from, for people.' }),
    confirm: t.boolean({ description: confirmText, defaultValue: false }),
  }),
})

const msOf = z.date().transform((date) => date.getTime())
const tiers = cardFields.tiers.transform((list) => list.map(tierFrom))
/** Where a field of the input stands in a card. */
const columns = {
  tiers: 'tiers',
  geoUsFactor: 'geoUsBp',
  batchFactor: 'batchBp',
  webSearch: 'webSearchNano',
  peakHours: 'peaks',
  source: 'source',
} as const

const endsBehindBegin = ({ from, to }: { from?: number | null | undefined; to?: number | null | undefined }) =>
  from == null || to == null || to > from
const wrongEnd = { error: says('ENDS_BEFORE_BEGIN'), path: ['to'] }
const defaults = { geoUsBp: 10_000, batchBp: 10_000, webSearchNano: 0, peaks: [] }

export const addCardCheck = z
  .object({
    model: cardFields.model,
    vendor: cardFields.vendor,
    from: msOf.nullish(),
    to: msOf.nullish(),
    tiers,
    geoUsFactor: cardFields.geoUsFactor.nullish(),
    batchFactor: cardFields.batchFactor.nullish(),
    webSearch: cardFields.webSearch.nullish(),
    peakHours: cardFields.peakHours.nullish(),
    source: cardFields.source,
    confirm: z.boolean().nullish(),
  })
  .refine(endsBehindBegin, wrongEnd)
  .transform((given) => ({
    from: given.from,
    to: given.to ?? null,
    isConfirmed: given.confirm === true,
    terms: {
      provider: given.vendor,
      pattern: given.model,
      source: given.source,
      tiers: given.tiers,
      geoUsBp: given.geoUsFactor ?? defaults.geoUsBp,
      batchBp: given.batchFactor ?? defaults.batchBp,
      webSearchNano: given.webSearch ?? defaults.webSearchNano,
      peaks: given.peakHours ?? defaults.peaks,
    },
  }))

export const editCardCheck = z
  .object({
    id: z.string(),
    from: msOf.nullish(),
    to: msOf.nullish(),
    tiers: tiers.nullish(),
    geoUsFactor: cardFields.geoUsFactor.nullish(),
    batchFactor: cardFields.batchFactor.nullish(),
    webSearch: cardFields.webSearch.nullish(),
    peakHours: cardFields.peakHours.nullish(),
    source: cardFields.source.nullish(),
    confirm: z.boolean().nullish(),
  })
  .refine(endsBehindBegin, wrongEnd)
  .transform(({ id, from, to, confirm, ...fields }) => ({
    id,
    from,
    change: {
      isConfirmed: confirm === true,
      ...(to !== undefined && { toMs: to }),
      ...Object.fromEntries(
        Object.entries(columns).flatMap(([name, column]) => {
          const value = fields[name as keyof typeof fields]
          return value === null || value === undefined ? [] : [[column, value]]
        }),
      ),
    },
  }))

/** The rates of an account for one model. */
export const accountTiers = tiers
