import { z } from 'zod'
import { type EditedBy, priceEdits } from '../../prices/price-edits.ts'
import { notFound } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import type { Context } from '../server/context.ts'
import { PriceCardType } from './price-card-type.ts'
import { AddPriceCardInput, addCardCheck, EditPriceCardInput, editCardCheck } from './price-input.ts'

/** Who changes the book, and when. */
export const editedBy = ({ parts, actor }: Context): EditedBy => ({
  userId: actor.userId,
  nowMs: parts.now(),
  newId: () => parts.newId().key,
})

const addCardSuccess = (name: string) =>
  builder.objectRef<{ id: string }>(name).implement({
    description: 'The price card as it is now.',
    authScopes: { admin: true },
    fields: (t) => ({
      priceCard: t.field({
        type: PriceCardType,
        description: 'The card with its dates.',
        resolve({ id }, _args, { parts }) {
          const card = parts.prices.book().card(id)
          if (!card) throw notFound('price card')
          return card
        },
      }),
    }),
  })

/** Cards have text for ids, so that the audit log names them in what changed. */
const audited = (after: Record<string, unknown>, before?: Record<string, unknown>) => ({
  objectType: 'PriceCard',
  objectId: 0,
  after,
  ...(before && { before }),
})

addMutation('addPriceCard', {
  description:
    'Adds a list price. Every process prices with it within a second; rows that are settled keep their price.',
  scope: 'admin',
  input: AddPriceCardInput,
  check: addCardCheck,
  success: addCardSuccess('AddPriceCardSuccess'),
  failures: ['input'],
  locks: ['price-cards'],
  async run({ from, to, isConfirmed, terms }, context, change) {
    const by = editedBy(context)
    const draft = { ...terms, fromMs: from ?? by.nowMs, toMs: to, isConfirmed }
    const id = await change(async (tx) => {
      const [cardId = ''] = await priceEdits.addCards(tx, [draft], 'manual', by)
      return { answer: cardId, audit: audited({ id: cardId, ...draft }) }
    })
    await context.parts.changed('price')
    return { id }
  },
})

addMutation('editPriceCard', {
  description: 'Adds a copy of a list price with other terms, from a date on.',
  scope: 'admin',
  input: EditPriceCardInput,
  check: editCardCheck,
  success: addCardSuccess('EditPriceCardSuccess'),
  failures: ['input', 'not_found', 'conflict'],
  locks: ['price-cards'],
  async run({ id: of, from, change: given }, context, change) {
    const by = editedBy(context)
    const draft = { ...given, fromMs: from ?? by.nowMs }
    const id = await change(async (tx) => {
      const { newId } = await priceEdits.editCard(tx, of, draft, by)
      return { answer: newId, audit: audited({ id: newId, ...draft }, { id: of }) }
    })
    await context.parts.changed('price')
    return { id }
  },
})

const PriceCardIdInput = builder.inputType('PriceCardIdInput', {
  description: 'Which price card.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the card.' }) }),
})
const onlyCard = z.object({ id: z.string() })

addMutation('confirmPriceCard', {
  description: 'Lets a card begin at its date, which lay ahead when it was added.',
  scope: 'admin',
  input: PriceCardIdInput,
  check: onlyCard,
  success: addCardSuccess('ConfirmPriceCardSuccess'),
  failures: ['input', 'not_found', 'conflict'],
  locks: ['price-cards'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { pattern } = await priceEdits.confirmCard(tx, id)
      return { answer: null, audit: audited({ id, model: pattern, confirmed: true }) }
    })
    await context.parts.changed('price')
    return { id }
  },
})

addMutation('retirePriceCard', {
  description:
    'Takes a card out of use: the card before it, or the built-in one, prices the model again. Rows that it priced keep it.',
  scope: 'admin',
  input: PriceCardIdInput,
  check: onlyCard,
  success: addCardSuccess('RetirePriceCardSuccess'),
  failures: ['not_found', 'conflict'],
  locks: ['price-cards'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { pattern } = await priceEdits.retireCard(tx, id, editedBy(context))
      return { answer: null, audit: audited({ id, model: pattern, retired: true }) }
    })
    await context.parts.changed('price')
    return { id }
  },
})
