import { createModelList } from '../model-patterns.ts'
import { aliasesOf } from './model-aliases.ts'
import { type AccountPrice, faultsOf, type PriceCard } from './price-card.ts'
import { fallbackCard } from './price-seed.ts'

/** The card for a model, and how it was found. `fallback`: the model is unknown. */
export interface FoundPrice {
  card: PriceCard
  source: 'exact' | 'dated' | 'glob' | 'fallback'
  /** Of the account on the card's rates, in basis points; 10000: none. */
  multiplierBp: number
}

/** An immutable snapshot of all cards; when a card changes, the whole book is replaced. */
export interface PriceBook {
  /**
   * The card for `model` at `atMs` (epoch milliseconds): what the account charges, else by the exact name, then by the names
   * that it is an alias of (model-aliases.ts), then by the longest declared glob, else the fallback. Cards of people come
   * before built-in ones. Ignores case. A prefix alone never matches, or `claude-sonnet-5` would also price
   * `claude-sonnet-5-5`. Never throws.
   */
  find(model: string, atMs: number, accountId?: number): FoundPrice
  /** Of all cards, those out of use too; the fallback is one of them. */
  card(id: string): PriceCard | undefined
  cards: readonly PriceCard[]
  accountPrices: readonly AccountPrice[]
  /** Names that have a list price of their own at any time, sorted. */
  knownModels(): readonly string[]
}

/** No model has a longer name. Callers may send longer ones, which must cost neither time nor memory. */
const maxNameLength = 200
const maxRemembered = 2_000

/** Throws one error that lists everything wrong with the cards. */
export function createPriceBook(
  cards: readonly PriceCard[],
  {
    accountPrices = [],
    fallback = fallbackCard,
  }: { accountPrices?: readonly AccountPrice[]; fallback?: PriceCard } = {},
): PriceBook {
  refuseFaults(cards, fallback)
  const byId = new Map([fallback, ...cards].map((card) => [card.id, card]))
  const used = cards.filter(
    ({ confirmed, retiredAtMs, accountId }) => confirmed && retiredAtMs === null && accountId === 0,
  )
  // Of several valid cards the first is found: one of people, and the newest.
  const inOrder = used.sort(
    (a, b) =>
      Number(a.origin === 'built_in') - Number(b.origin === 'built_in') ||
      b.effectiveFromMs - a.effectiveFromMs ||
      b.createdAtMs - a.createdAtMs,
  )
  const exact = groupByPattern(inOrder)
  const globs = inOrder
    .filter((card) => card.matchKind === 'glob')
    .sort((a, b) => b.pattern.length - a.pattern.length)
    .map((card) => ({ card, list: createModelList([card.pattern]) }))
  const ofAccounts = groupByAccount(accountPrices)
  const boundaries = [
    ...new Set([...used, ...accountPrices].flatMap((one) => [one.effectiveFromMs, one.effectiveToMs ?? Infinity])),
  ]
  const unknown: FoundPrice = Object.freeze({ card: fallback, source: 'fallback', multiplierBp: 10_000 })
  const remembered = new Map<string, { found: FoundPrice; fromMs: number; toMs: number }>()

  function lookInList(name: string, aliases: readonly string[], atMs: number): FoundPrice {
    const own = exact.get(name)?.find((card) => holds(card, atMs))
    if (own) return { card: own, source: 'exact', multiplierBp: 10_000 }
    for (const alias of aliases) {
      const card = exact.get(alias)?.find((one) => holds(one, atMs))
      if (card) return { card, source: 'dated', multiplierBp: 10_000 }
    }
    const glob = globs.find(({ card, list }) => holds(card, atMs) && list.allows(name))
    return glob ? { card: glob.card, source: 'glob', multiplierBp: 10_000 } : unknown
  }

  function look(model: string, atMs: number, ofAccount: readonly PriceOfAccount[] | undefined): FoundPrice {
    const name = model.toLowerCase()
    const aliases = aliasesOf(name)
    const names = [name, ...aliases]
    const price = ofAccount?.find((one) => holds(one.price, atMs) && names.some((each) => one.list.allows(each)))?.price
    const card = price?.cardId ? byId.get(price.cardId) : undefined
    if (price && card) {
      const source = !price.pattern.includes('*') ? (price.pattern === name ? 'exact' : 'dated') : 'glob'
      return { card, source, multiplierBp: 10_000 }
    }
    const listed = lookInList(name, aliases, atMs)
    return price?.multiplierBp == null ? listed : { ...listed, multiplierBp: price.multiplierBp }
  }

  function find(model: string, atMs: number, accountId = 0): FoundPrice {
    const ofAccount = accountId === 0 ? undefined : ofAccounts.get(accountId)
    const name = ofAccount ? `${accountId} ${model}` : model
    const known = remembered.get(name)
    if (known && atMs >= known.fromMs && atMs < known.toMs) return known.found
    if (model.length > maxNameLength) return unknown
    const found = look(model, atMs, ofAccount)
    // The result is the same until the next date at which any card changes.
    const fromMs = Math.max(-Infinity, ...boundaries.filter((ms) => ms <= atMs))
    const toMs = Math.min(Infinity, ...boundaries.filter((ms) => ms > atMs))
    if (!known && remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
    remembered.set(name, { found, fromMs, toMs })
    return found
  }

  return {
    find,
    card: (id) => byId.get(id),
    cards: Object.freeze([...cards]),
    accountPrices,
    knownModels: () => [...exact.keys()].sort(),
  }
}

interface PriceOfAccount {
  price: AccountPrice
  list: ReturnType<typeof createModelList>
}

/** The prices in use of each account: names before patterns, longer patterns before shorter ones, newer prices before older ones. */
function groupByAccount(prices: readonly AccountPrice[]): Map<number, PriceOfAccount[]> {
  const rank = ({ pattern }: AccountPrice): number => (pattern.includes('*') ? pattern.length : 1_000)
  const inOrder = prices
    .filter(({ retiredAtMs }) => retiredAtMs === null)
    .sort((a, b) => rank(b) - rank(a) || b.effectiveFromMs - a.effectiveFromMs || b.id - a.id)
  const groups = new Map<number, PriceOfAccount[]>()
  for (const price of inOrder) {
    const group = groups.get(price.accountId) ?? []
    groups.set(price.accountId, group)
    group.push({ price, list: createModelList([price.pattern]) })
  }
  return groups
}

function holds(card: Pick<PriceCard, 'effectiveFromMs' | 'effectiveToMs'>, atMs: number): boolean {
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
