import { type PriceCard, tierOf } from './price-card.ts'
import { type CardTerms, type TierDraft, tierFrom } from './price-input.ts'
import type { PriceBook } from './prices.ts'

/** Why an entry of a price file gives no card. */
export const skipReasons = [
  'not_text',
  'no_rates',
  'free',
  'negative',
  'too_precise',
  'name_unusable',
  'twice',
] as const
export type SkipReason = (typeof skipReasons)[number]

/** An entry of a price file against the book of today. */
export type ImportLine =
  | { model: string; vendor: string; status: 'skipped'; reason: SkipReason; terms: null; card: null }
  | {
      model: string
      vendor: string
      status: 'new' | 'changed' | 'same'
      reason: null
      terms: CardTerms
      /** What prices the model today; null: only the fallback. */
      card: PriceCard | null
    }

interface Entry {
  model: string
  vendor: string
  tiers: TierDraft[] | SkipReason
  webSearchNano: number | undefined
  source: string
}

type Fields = Readonly<Record<string, unknown>>

/** Vendors that make models. Where several sell a model of one name, the maker's price is taken. */
const makers = [
  'anthropic',
  'openai',
  'deepseek',
  'zai',
  'zhipuai',
  'moonshotai',
  'alibaba',
  'minimax',
  'google',
  'xai',
  'mistral',
]

/** Reads a price file in the shape of LiteLLM or of models.dev. `foreign`: it has neither. */
export function readPriceFile(text: string): Entry[] | 'not_json' | 'foreign' {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return 'not_json'
  }
  if (!isFields(file)) return 'foreign'
  const values = Object.values(file).filter(isFields)
  if (values.some((value) => 'litellm_provider' in value || 'input_cost_per_token' in value)) return ofLiteLlm(file)
  if (values.some(({ models }) => isFields(models))) return ofModelsDev(file)
  return 'foreign'
}

/** Compares entries with what prices the same models at a moment. */
export function compareWithBook(entries: readonly Entry[], book: PriceBook, atMs: number): ImportLine[] {
  const seen = new Set<string>()
  const rank = ({ vendor }: Entry) => (makers.includes(vendor) ? makers.indexOf(vendor) : makers.length)
  return [...entries]
    .sort((a, b) => rank(a) - rank(b))
    .map((entry): ImportLine => {
      const { vendor, source, webSearchNano } = entry
      const model = entry.model.toLowerCase()
      const skip = (reason: SkipReason): ImportLine => ({
        model,
        vendor,
        status: 'skipped',
        reason,
        terms: null,
        card: null,
      })
      if (!/^[\x21-\x29\x2b-\x7e]{1,191}$/.test(model)) return skip('name_unusable')
      if (typeof entry.tiers === 'string') return skip(entry.tiers)
      if (seen.has(model)) return skip('twice')
      seen.add(model)
      const found = book.find(model, atMs)
      const known = found.source === 'fallback' ? null : found.card
      const tiers = [...entry.tiers.map(tierFrom), ...(known?.tiers.filter(({ speed }) => speed === 'fast') ?? [])]
      const terms: CardTerms = {
        provider: known?.provider ?? vendor,
        pattern: model,
        source,
        // What such files do not have stays as it is.
        geoUsBp: known?.geoUsBp ?? 10_000,
        batchBp: known?.batchBp ?? 10_000,
        webSearchNano: webSearchNano ?? known?.webSearchNano ?? 0,
        peaks: known?.peaks ?? [],
        tiers,
      }
      const isSame = known !== null && isSamePrice(entry, known)
      const status = isSame ? 'same' : found.source === 'exact' ? 'changed' : 'new'
      return { model, vendor, status, reason: null, terms, card: known }
    })
}

/** Whether a card has the rates that an entry names; what it does not name is not compared. */
function isSamePrice({ tiers, webSearchNano }: Entry, card: PriceCard): boolean {
  if (typeof tiers === 'string') return false
  if (webSearchNano !== undefined && webSearchNano !== card.webSearchNano) return false
  const own = card.tiers.filter(({ speed }) => speed === 'standard')
  return (
    own.length === tiers.length &&
    tiers.every((draft) => {
      const tier = tierOf(card, draft.abovePromptTokens + 1, 'standard')
      const pairs: [number | undefined, number][] = [
        [draft.abovePromptTokens, tier.abovePromptTokens],
        [draft.input, tier.inputPico],
        [draft.output, tier.outputPico],
        [draft.cacheWrite5m, tier.cacheWrite5mPico],
        [draft.cacheWrite1h, tier.cacheWrite1hPico],
        [draft.cacheRead, tier.cacheReadPico],
      ]
      return pairs.every(([given, has]) => given === undefined || given === has)
    })
  )
}

const textModes = new Set(['chat', 'completion', 'responses', undefined])

/** One object a model; US dollars a token. */
function ofLiteLlm(file: Fields): Entry[] {
  return Object.entries(file).flatMap(([model, fields]) => {
    if (!isFields(fields) || model === 'sample_spec') return []
    const vendor = vendorOf(fields['litellm_provider'])
    const search = isFields(fields['search_context_cost_per_query'])
      ? fields['search_context_cost_per_query']['search_context_size_medium']
      : undefined
    const tier = (above: string) => ({
      abovePromptTokens: above === '' ? 0 : Number(above) * 1_000,
      ...rates(1e12, {
        input: fields[named('input_cost_per_token', above)],
        output: fields[named('output_cost_per_token', above)],
        cacheWrite5m: fields[named('cache_creation_input_token_cost', above)],
        cacheWrite1h: fields[named('cache_creation_input_token_cost_above_1hr', above)],
        cacheRead: fields[named('cache_read_input_token_cost', above)],
      }),
    })
    const lengths = Object.keys(fields).flatMap(
      (name) => /^input_cost_per_token_above_(\d+)k_tokens$/.exec(name)?.[1] ?? [],
    )
    const inOrder = lengths.sort((a, b) => Number(a) - Number(b))
    const tiers = textModes.has(fields['mode'] as string | undefined)
      ? tiersOf([tier(''), ...inOrder.map(tier)])
      : ('not_text' as const)
    const webSearchNano = typeof search === 'number' && search > 0 ? Math.round(search * 1e9) : undefined
    return [{ model, vendor, tiers, webSearchNano, source: 'LiteLLM model_prices_and_context_window.json' }]
  })
}

const named = (name: string, above: string): string => (above === '' ? name : `${name}_above_${above}k_tokens`)

/** One object a vendor, with its models; US dollars a million tokens. */
function ofModelsDev(file: Fields): Entry[] {
  return Object.entries(file).flatMap(([provider, fields]) => {
    if (!isFields(fields) || !isFields(fields['models'])) return []
    return Object.entries(fields['models']).map(([model, value]) => {
      const cost = isFields(value) ? value['cost'] : undefined
      const tier = (from: Fields, abovePromptTokens: number) => ({
        abovePromptTokens,
        ...rates(1e6, {
          input: from['input'],
          output: from['output'],
          cacheWrite5m: from['cache_write'],
          cacheWrite1h: undefined,
          cacheRead: from['cache_read'],
        }),
      })
      const long = isFields(cost) ? cost['context_over_200k'] : undefined
      const tiers = isFields(cost)
        ? tiersOf([tier(cost, 0), ...(isFields(long) ? [tier(long, 200_000)] : [])])
        : ('no_rates' as const)
      return { model, vendor: vendorOf(provider), tiers, webSearchNano: undefined, source: 'models.dev' }
    })
  })
}

interface ReadTier {
  abovePromptTokens: number
  values: Partial<Record<'input' | 'output' | 'cacheWrite5m' | 'cacheWrite1h' | 'cacheRead', number>>
  problem: SkipReason | undefined
}

/** Numbers of a file as pico-USD a token. They come as floats, so what is nearly whole is whole. */
function rates(
  picoPerUnit: number,
  given: Record<keyof ReadTier['values'], unknown>,
): Pick<ReadTier, 'values' | 'problem'> {
  const values: ReadTier['values'] = {}
  let problem: SkipReason | undefined
  for (const [name, value] of Object.entries(given) as [keyof ReadTier['values'], unknown][]) {
    if (value === undefined || value === null) continue
    const exact = Number(value) * picoPerUnit
    const pico = Math.round(exact)
    if (!Number.isFinite(exact)) problem ??= 'no_rates'
    else if (exact < 0) problem ??= 'negative'
    else if (Math.abs(exact - pico) > 1e-3 || pico > 1e12) problem ??= 'too_precise'
    values[name] = pico
  }
  return { values, problem }
}

function tiersOf(read: readonly ReadTier[]): TierDraft[] | SkipReason {
  const base = read[0]!.values
  const problem = read.find((tier) => tier.problem)?.problem
  if (problem) return problem
  if (base.input === undefined || base.output === undefined) return 'no_rates'
  if (base.input === 0 && base.output === 0) return 'free'
  const { input: baseInput, output: baseOutput } = base
  return read.map(({ abovePromptTokens, values }) => {
    const { input = baseInput, output = baseOutput } = values
    // A cache rate that a longer prompt does not name keeps its ratio to the input.
    const kept = (name: 'cacheWrite5m' | 'cacheWrite1h' | 'cacheRead') => {
      const rate = base[name]
      return values[name] ?? (rate === undefined || baseInput === 0 ? rate : Math.round((rate * input) / baseInput))
    }
    const caches = {
      cacheWrite5m: kept('cacheWrite5m'),
      cacheWrite1h: kept('cacheWrite1h'),
      cacheRead: kept('cacheRead'),
    }
    return { abovePromptTokens, speed: 'standard' as const, input, output, ...caches }
  })
}

const vendorOf = (name: unknown): string =>
  (typeof name === 'string'
    ? name
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-')
        .slice(0, 60)
    : '') || 'unknown'

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
