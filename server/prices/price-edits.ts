import type { Tx } from '../store/database.ts'
import { conflict, inputFailure, notFound } from '../verb-failure.ts'
import type { AccountPrice, PriceCard } from './price-card.ts'
import type { CardTerms } from './price-input.ts'
import { insertCards, readAccountPrices, readCards } from './price-store.ts'

/** Who makes a change, and when. */
export interface EditedBy {
  userId: number
  nowMs: number
  /** A new id at each call. */
  newId: () => string
}

/** A card to add, from its begin until its end. */
export interface CardDraft extends CardTerms {
  fromMs: number
  /** null: no known end. */
  toMs: number | null
  /** Whether it may begin by itself when its begin lies ahead. */
  isConfirmed: boolean
}

/** What of a card is to be another. Absent fields are absent, never undefined. */
export type CardChange = Partial<CardDraft> & Pick<CardDraft, 'isConfirmed'>

/** Verbs that change the price book. Cards and account prices are added, closed and taken out of use, never overwritten. */
export const priceEdits = {
  /**
   * Adds list cards. A card of people that has no end is closed at the begin of the new one; any other overlap is an input
   * failure. Built-in cards stay as they are: those of people come before them.
   */
  async addCards(tx: Tx, drafts: readonly CardDraft[], origin: 'imported' | 'manual', by: EditedBy): Promise<string[]> {
    const others = await readCards(tx, {
      accountId: 0,
      retiredAtMs: null,
      confirmed: true,
      NOT: { origin: 'built_in' },
    })
    const cards = drafts.map((draft) => cardOf(draft, origin, by))
    for (const card of cards) if (card.confirmed) await closeEarlier(tx, card, others)
    await insertCards(tx, cards)
    return cards.map(({ id }) => id)
  },

  /** A copy of a card with other terms. From the same begin, or an earlier one, it takes the place of a card of people. */
  async editCard(tx: Tx, id: string, draft: CardChange, by: EditedBy) {
    const before = await existingCard(tx, id)
    const fromMs = draft.fromMs ?? before.effectiveFromMs
    const toMs = draft.toMs === undefined ? before.effectiveToMs : draft.toMs
    if (before.origin !== 'built_in' && fromMs <= before.effectiveFromMs) await retire(tx, id, by)
    const [newId = ''] = await priceEdits.addCards(tx, [{ ...before, ...draft, fromMs, toMs }], 'manual', by)
    return { before, newId }
  },

  /** From now on the card may begin at its date. */
  async confirmCard(tx: Tx, id: string): Promise<PriceCard> {
    const card = await existingCard(tx, id)
    if (card.confirmed) throw conflict('CARD_CONFIRMED')
    const where = {
      accountId: 0,
      pattern: card.pattern,
      retiredAtMs: null,
      confirmed: true,
      NOT: { origin: 'built_in' },
    }
    await closeEarlier(tx, card, await readCards(tx, where))
    await tx.priceCard.update({ where: { id }, data: { confirmed: true } })
    return card
  },

  /** The card prices nothing from now on. Rows that it priced keep it. */
  async retireCard(tx: Tx, id: string, by: EditedBy): Promise<PriceCard> {
    const card = await existingCard(tx, id)
    await retire(tx, id, by)
    return card
  },

  /** What an account charges for a model from a moment on; the price of the same pattern before it ends there. */
  async setAccountPrice(
    tx: Tx,
    draft: { accountId: number; pattern: string; fromMs: number } & ({ multiplierBp: number } | { terms: CardTerms }),
    by: EditedBy,
  ): Promise<number> {
    const { accountId, pattern, fromMs } = draft
    const others = await readAccountPrices(tx, { accountId, pattern, retiredAtMs: null })
    const later = others.find(({ effectiveFromMs }) => effectiveFromMs > fromMs)
    if (later) throw overlap(later)
    for (const { id, effectiveFromMs, effectiveToMs } of others) {
      if (effectiveFromMs === fromMs)
        await tx.accountPrice.update({ where: { id }, data: { retiredAtMs: BigInt(by.nowMs) } })
      else if (effectiveToMs === null || effectiveToMs > fromMs)
        await tx.accountPrice.update({ where: { id }, data: { effectiveToMs: BigInt(fromMs) } })
    }
    let cardId: string | null = null
    if ('terms' in draft) {
      const card = { ...cardOf({ ...draft.terms, fromMs, toMs: null, isConfirmed: true }, 'manual', by), accountId }
      await insertCards(tx, [card])
      cardId = card.id
    }
    const multiplierBp = 'terms' in draft ? null : draft.multiplierBp
    const dates = { effectiveFromMs: BigInt(fromMs), createdAtMs: BigInt(by.nowMs) }
    const data = { accountId, pattern, multiplierBp, cardId, createdById: by.userId, ...dates }
    return (await tx.accountPrice.create({ data })).id
  },

  /** From now on the list price holds again. One that has not begun never does. */
  async endAccountPrice(tx: Tx, id: number, by: EditedBy): Promise<AccountPrice> {
    const [price] = await readAccountPrices(tx, { id, retiredAtMs: null })
    if (!price || (price.effectiveToMs !== null && price.effectiveToMs <= by.nowMs))
      throw notFound('price of an account')
    const nowMs = BigInt(by.nowMs)
    const data = price.effectiveFromMs >= by.nowMs ? { retiredAtMs: nowMs } : { effectiveToMs: nowMs }
    await tx.accountPrice.update({ where: { id }, data })
    return price
  },
}

function cardOf(draft: CardDraft, origin: 'imported' | 'manual', by: EditedBy): PriceCard {
  const { provider, pattern, source, geoUsBp, batchBp, webSearchNano, peaks, tiers, fromMs, toMs } = draft
  return {
    id: `card-${by.newId()}`,
    provider,
    pattern,
    matchKind: pattern.includes('*') ? 'glob' : 'exact',
    effectiveFromMs: fromMs,
    effectiveToMs: toMs,
    geoUsBp,
    batchBp,
    webSearchNano,
    peaks,
    source,
    checkedAt: new Date(by.nowMs).toISOString().slice(0, 10),
    tiers,
    accountId: 0,
    origin,
    confirmed: draft.isConfirmed || fromMs <= by.nowMs,
    retiredAtMs: null,
    createdById: by.userId,
    createdAtMs: by.nowMs,
  }
}

/** Closes the card without an end that began before; refuses any other card whose time it shares. */
async function closeEarlier(tx: Tx, card: PriceCard, others: readonly PriceCard[]): Promise<void> {
  const { effectiveFromMs: fromMs, effectiveToMs: toMs } = card
  for (const other of others) {
    const sharesTime =
      other.pattern === card.pattern &&
      (other.effectiveToMs ?? Infinity) > fromMs &&
      other.effectiveFromMs < (toMs ?? Infinity) &&
      other.id !== card.id
    if (!sharesTime || other.retiredAtMs !== null) continue
    if (other.effectiveToMs !== null || other.effectiveFromMs >= fromMs) throw overlap(other)
    await tx.priceCard.update({ where: { id: other.id }, data: { effectiveToMs: BigInt(fromMs) } })
  }
}

function overlap({ effectiveFromMs, effectiveToMs }: { effectiveFromMs: number; effectiveToMs: number | null }) {
  const values = {
    from: new Date(effectiveFromMs).toISOString(),
    to: effectiveToMs === null ? '…' : new Date(effectiveToMs).toISOString(),
  }
  return inputFailure({ path: 'from', code: 'DATES_OVERLAP', values })
}

async function existingCard(tx: Tx, id: string): Promise<PriceCard> {
  const [card] = await readCards(tx, { id, accountId: 0 })
  if (!card) throw notFound('price card')
  if (card.retiredAtMs !== null) throw conflict('CARD_RETIRED')
  return card
}

async function retire(tx: Tx, id: string, by: EditedBy): Promise<void> {
  await tx.priceCard.update({ where: { id }, data: { retiredAtMs: BigInt(by.nowMs) } })
}
