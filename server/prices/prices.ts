import { createModelList } from '../model-patterns.ts'
import { aliasesOf } from './model-aliases.ts'
import { faultsOf, type PriceCard } from './price-card.ts'
import { fallbackCard } from './price-seed.ts'

/** The card for a model, and how it was found. `fallback`: the model is unknown. */
export interface FoundPrice {
  card: PriceCard
  source: 'exact' | 'dated' | 'glob' | 'fallback'
}

/** An immutable snapshot of all cards; when a card changes, the whole book is replaced. */
export interface PriceBook {
  /**
   * The card for `model` at `atMs` (epoch milliseconds): by the exact name, then by the names that it is an alias of (model-aliases.ts), then by the
   * longest declared glob, else the fallback. Ignores case. A prefix alone never matches, or `claude-sonnet-5` would also
   * price `claude-sonnet-5-5`. Never throws.
   */
  find(model: string, atMs: number): FoundPrice
  cards: readonly PriceCard[]
  /** Names that have a card of their own at any time, sorted. */
  knownModels(): readonly string[]
}

/** No model has a longer name. Callers may send longer ones, which must cost neither time nor memory. */
const maxNameLength = 200
const maxRemembered = 2_000

/** Throws one error that lists everything wrong with the cards. */
export function createPriceBook(cards: readonly PriceCard[], fallback: PriceCard = fallbackCard): PriceBook {
  refuseFaults(cards, fallback)
  // The newest first, so that of several valid cards the newest is found.
  const newestFirst = [...cards].sort((a, b) => b.effectiveFromMs - a.effectiveFromMs)
  const exact = groupByPattern(newestFirst)
  const globs = newestFirst
    .filter((card) => card.matchKind === 'glob')
    .sort((a, b) => b.pattern.length - a.pattern.length)
    .map((card) => ({ card, list: createModelList([card.pattern]) }))
  const boundaries = [...new Set(cards.flatMap((card) => [card.effectiveFromMs, card.effectiveToMs ?? Infinity]))]
  const unknown: FoundPrice = Object.freeze({ card: fallback, source: 'fallback' })
  const remembered = new Map<string, { found: FoundPrice; fromMs: number; toMs: number }>()

  function look(model: string, atMs: number): FoundPrice {
    const name = model.toLowerCase()
    const own = exact.get(name)?.find((card) => holds(card, atMs))
    if (own) return { card: own, source: 'exact' }
    for (const alias of aliasesOf(name)) {
      const card = exact.get(alias)?.find((one) => holds(one, atMs))
      if (card) return { card, source: 'dated' }
    }
    const glob = globs.find(({ card, list }) => holds(card, atMs) && list.allows(name))
    return glob ? { card: glob.card, source: 'glob' } : unknown
  }

  function find(model: string, atMs: number): FoundPrice {
    const known = remembered.get(model)
    if (known && atMs >= known.fromMs && atMs < known.toMs) return known.found
    if (model.length > maxNameLength) return unknown
    const found = look(model, atMs)
    // The result is the same until the next date at which any card changes.
    const fromMs = Math.max(-Infinity, ...boundaries.filter((ms) => ms <= atMs))
    const toMs = Math.min(Infinity, ...boundaries.filter((ms) => ms > atMs))
    if (!known && remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
    remembered.set(model, { found, fromMs, toMs })
    return found
  }

  return { find, cards: Object.freeze([...cards]), knownModels: () => [...exact.keys()].sort() }
}

function holds(card: PriceCard, atMs: number): boolean {
  return card.effectiveFromMs <= atMs && (card.effectiveToMs === null || atMs < card.effectiveToMs)
}

function groupByPattern(cards: readonly PriceCard[]): Map<string, PriceCard[]> {
  const groups = new Map<string, PriceCard[]>()
  for (const card of cards) {
    if (card.matchKind !== 'exact') continue
    const group = groups.get(card.pattern)
    if (group) group.push(card)
    else groups.set(card.pattern, [card])
  }
  return groups
}

function refuseFaults(cards: readonly PriceCard[], fallback: PriceCard): void {
  const ids = new Set<string>()
  const faults = cards.flatMap((card) => {
    const twice = ids.has(card.id) ? [`price card ${card.id} is there twice`] : []
    ids.add(card.id)
    return [...twice, ...faultsOf(card)]
  })
  faults.push(...faultsOf(fallback))
  if (faults.length > 0) throw new Error(faults.join('\n'))
}
