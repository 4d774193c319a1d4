import { z } from 'zod'
import { says } from '../../failure-codes.ts'
import { priceEdits } from '../../prices/price-edits.ts'
import {
  compareWithBook,
  type ImportLine,
  readPriceFile,
  type SkipReason,
  skipReasons,
} from '../../prices/price-import.ts'
import { inputFailure } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import type { Context } from '../server/context.ts'
import { PriceCardType, PriceTierType } from './price-card-type.ts'
import { editedBy } from './price-mutations.ts'

const ImportStatus = builder.enumType('PriceImportStatus', {
  description: 'What an entry of a price file would do.',
  values: {
    NEW: { value: 'new', description: 'The model has no card of its own.' },
    CHANGED: { value: 'changed', description: 'The card of the model has other rates.' },
    SAME: { value: 'same', description: 'The model has these rates already.' },
    SKIPPED: { value: 'skipped', description: 'The entry gives no card.' },
  } as const,
})

const skipTexts: Record<SkipReason, string> = {
  not_text: 'It is no model that writes text.',
  no_rates: 'It has no rates for input and output tokens.',
  free: 'Its rates are 0: requests would be free.',
  negative: 'It has a negative rate.',
  too_precise: 'A rate is no whole number of pico-dollars a token, or is too large.',
  name_unusable: 'The name of its model cannot be used.',
  twice: 'Another entry of the file has a model of this name.',
}

const SkipReasonType = builder.enumType('PriceImportSkipReason', {
  description: 'Why an entry of a price file gives no card.',
  values: Object.fromEntries(
    skipReasons.map((reason) => [reason.toUpperCase(), { value: reason, description: skipTexts[reason] }]),
  ) as Record<Uppercase<SkipReason>, { value: SkipReason; description: string }>,
})

const ImportEntry = builder.objectRef<ImportLine>('PriceImportEntry').implement({
  description: 'An entry of a price file, compared with what prices its model now.',
  authScopes: { admin: true },
  fields: (t) => ({
    model: t.exposeString('model', { description: 'Small letters.' }),
    vendor: t.exposeString('vendor', { description: 'As the file names it.' }),
    status: t.field({ type: ImportStatus, description: 'What it would do.', resolve: ({ status }) => status }),
    skipReason: t.field({
      type: SkipReasonType,
      nullable: true,
      description: 'Why it gives no card; null for others.',
      resolve: ({ reason }) => reason,
    }),
    tiers: t.field({
      type: [PriceTierType],
      description: 'The rates that the new card would have; those of fast speed are kept from the card of today.',
      resolve: ({ terms }) => [...(terms?.tiers ?? [])],
    }),
    card: t.field({
      type: PriceCardType,
      nullable: true,
      description: 'What prices the model now; null: only the fallback.',
      resolve: ({ card }) => card,
    }),
  }),
})

const maxFileLength = 8_000_000
const file = z.string().max(maxFileLength, says('TOO_LONG'))
const fileText =
  'The text of a JSON file in the shape of LiteLLM (model_prices_and_context_window.json) or of models.dev (api.json). At most 8 MB.'

/** The entries of a file against the book of now. Throws an input failure for what is no price file. */
function entriesOf(text: string, { parts }: Context): ImportLine[] {
  const read = readPriceFile(text)
  if (read === 'not_json') throw inputFailure({ path: 'file', code: 'PRICE_FILE_NOT_JSON' })
  if (read === 'foreign') throw inputFailure({ path: 'file', code: 'PRICE_FILE_FOREIGN' })
  return compareWithBook(read, parts.prices.book(), parts.now())
}

const PreviewPriceImportInput = builder.inputType('PreviewPriceImportInput', {
  description: 'A price file to look at.',
  fields: (t) => ({ file: t.string({ required: true, description: fileText }) }),
})

const PreviewPriceImportSuccess = builder
  .objectRef<{ lines: readonly ImportLine[] }>('PreviewPriceImportSuccess')
  .implement({
    description: 'What a price file would do. Nothing was changed.',
    authScopes: { admin: true },
    fields: (t) => ({
      entries: t.field({
        type: [ImportEntry],
        description: 'At most 5 000; those that give cards first.',
        resolve: ({ lines }) => lines.slice(0, 5_000),
      }),
      ...Object.fromEntries(
        (['new', 'changed', 'same', 'skipped'] as const).map((status) => [
          status,
          t.int({
            description: `How many entries are ${status.toUpperCase()}.`,
            resolve: ({ lines }: { lines: readonly ImportLine[] }) =>
              lines.filter((line) => line.status === status).length,
          }),
        ]),
      ),
    }),
  })

const rank = { changed: 0, new: 1, same: 2, skipped: 3 } as const

addMutation('previewPriceImport', {
  description: 'Compares a price file with the price book, and changes nothing.',
  scope: 'admin',
  input: PreviewPriceImportInput,
  check: z.object({ file }),
  success: PreviewPriceImportSuccess,
  failures: ['input'],
  locks: [],
  run: async ({ file: text }, context) => ({
    lines: entriesOf(text, context).sort((a, b) => rank[a.status] - rank[b.status] || (a.model < b.model ? -1 : 1)),
  }),
})

const ImportPricesInput = builder.inputType('ImportPricesInput', {
  description: 'A price file, and what of it is to be imported.',
  fields: (t) => ({
    file: t.string({ required: true, description: fileText }),
    models: t.stringList({
      required: true,
      description: 'Models as the preview names them, NEW or CHANGED ones; at most 5 000.',
    }),
    from: t.field({ type: 'DateTime', description: 'The new cards begin then. Absent: now.' }),
  }),
})

const ImportPricesSuccess = builder.objectRef<{ ids: readonly string[] }>('ImportPricesSuccess').implement({
  description: 'The cards were added.',
  authScopes: { admin: true },
  fields: (t) => ({
    added: t.int({ description: 'How many cards.', resolve: ({ ids }) => ids.length }),
    priceCards: t.field({
      type: [PriceCardType],
      description: 'The new cards.',
      resolve: ({ ids }, _args, { parts }) => ids.flatMap((id) => parts.prices.book().card(id) ?? []),
    }),
  }),
})

addMutation('importPrices', {
  description: 'Adds cards with the prices of a file, for the models named.',
  scope: 'admin',
  input: ImportPricesInput,
  check: z.object({
    file,
    models: z.array(z.string().transform((name) => name.toLowerCase())).max(5_000, says('TOO_MANY_ENTRIES')),
    from: z.date().nullish(),
  }),
  success: ImportPricesSuccess,
  failures: ['input'],
  locks: ['price-cards'],
  async run({ file: text, models, from }, context, change) {
    const byModel = new Map(entriesOf(text, context).flatMap((line) => (line.terms ? [[line.model, line.terms]] : [])))
    const by = editedBy(context)
    const fromMs = from?.getTime() ?? by.nowMs
    const drafts = [...new Set(models)].map((model, index) => {
      const terms = byModel.get(model)
      if (!terms) throw inputFailure({ path: `models[${index}]`, code: 'MODEL_NOT_IN_FILE', values: { model } })
      return { ...terms, fromMs, toMs: null, isConfirmed: false }
    })
    const ids = await change(async (tx) => ({
      answer: await priceEdits.addCards(tx, drafts, 'imported', by),
      audit: { objectType: 'PriceCard', objectId: 0, after: { from: new Date(fromMs), models } },
    }))
    await context.parts.changed('price')
    return { ids }
  },
})
