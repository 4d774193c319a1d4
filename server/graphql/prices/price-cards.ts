import { formatFactor } from '../../money/usd.ts'
import type { PriceCard } from '../../prices/price-card.ts'
import type { FoundPrice } from '../../prices/prices.ts'
import { builder } from '../builder.ts'
import { forwardPage } from '../connections.ts'
import { badInput, idNumber } from '../values.ts'
import { PriceCardType, PriceOrigin } from './price-card-type.ts'

export const PriceSource = builder.enumType('PriceSource', {
  description: 'How the price card of a request was found.',
  values: {
    EXACT: { value: 'exact', description: 'By the name of the model.' },
    DATED: {
      value: 'dated',
      description: 'By a name that the model is an alias of, such as the one without its date.',
    },
    GLOB: { value: 'glob', description: 'By a pattern.' },
    FALLBACK: { value: 'fallback', description: 'The model has no card: the declared fallback card priced it.' },
  } as const,
})

const PriceCardConnection = builder.connectionObject(
  { type: PriceCardType, name: 'PriceCardConnection', description: 'A page of price cards.' },
  { name: 'PriceCardEdge', description: 'A price card, and where it stands in its list.' },
)

const PriceCardFilter = builder.inputType('PriceCardFilter', {
  description: 'Every condition that is given must hold; a list holds when one of its values fits.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the model or of the source.' }),
    vendors: t.stringList({ description: 'Whose models.' }),
    origins: t.field({ type: [PriceOrigin], description: 'Where the cards come from.' }),
    inForce: t.boolean({ description: 'True: only cards that price their model now. False: only others.' }),
  }),
})

/** By model, the newest first; the id makes the order unique. */
const orderOf = ({ pattern, effectiveFromMs, id }: PriceCard): string =>
  `${pattern} ${String(9e15 - effectiveFromMs).padStart(16, '0')} ${id}`

builder.queryField('priceCards', (t) =>
  t.connection(
    {
      type: PriceCardType,
      nullable: true,
      description:
        'The list prices by model, the newest first; those out of use too. Forwards only: `first` and `after`.',
      authScopes: { user: true },
      args: { filter: t.arg({ type: PriceCardFilter, description: 'Absent: all of them.' }) },
      resolve(_parent, { first, after, last, before, filter }, { parts }) {
        if (last || before) throw badInput('Price cards are read forwards: use `first` and `after`.')
        const book = parts.prices.book()
        const { search, vendors, origins, inForce } = filter ?? {}
        const text = search?.toLowerCase() ?? ''
        const isInForce = (card: PriceCard) => book.find(card.pattern, parts.now()).card.id === card.id
        const cards = book.cards
          .filter(
            (card) =>
              card.accountId === 0 &&
              (card.pattern.includes(text) || card.source.toLowerCase().includes(text)) &&
              (!vendors || vendors.includes(card.provider)) &&
              (!origins || origins.includes(card.origin)) &&
              (typeof inForce !== 'boolean' || isInForce(card) === inForce),
          )
          .map((card) => ({ card, order: orderOf(card) }))
          .sort((a, b) => (a.order < b.order ? -1 : 1))
        const start = after ? cards.findIndex(({ card }) => card.id === after) : -1
        if (after && start === -1) throw badInput('`after` is not a cursor.')
        return forwardPage(
          { first, after },
          async (limit) => cards.slice(start + 1, start + 1 + limit),
          ({ card }) => ({ cursor: card.id, node: card }),
        )
      },
    },
    PriceCardConnection,
  ),
)

builder.queryFields((t) => ({
  priceCard: t.field({
    type: PriceCardType,
    nullable: true,
    description: 'One price card by its id, also one out of use; null when there is none.',
    authScopes: { user: true },
    args: { id: t.arg.id({ required: true, description: 'As a request names it in `priceCardId`.' }) },
    resolve: (_parent, { id }, { parts, viewer }) => {
      const card = parts.prices.book().card(String(id))
      // The rates of an account are its owner's and the administrators' to see, with the account.
      return card && (card.accountId === 0 || viewer?.role === 'admin') ? card : null
    },
  }),
  priceOf: t.field({
    type: builder.objectRef<FoundPrice>('ModelPrice').implement({
      description: 'What prices a model.',
      authScopes: { user: true },
      fields: (of) => ({
        card: of.field({ type: PriceCardType, description: 'The card.', resolve: ({ card }) => card }),
        source: of.field({ type: PriceSource, description: 'How it was found.', resolve: ({ source }) => source }),
        multiplier: of.field({
          type: 'Decimal',
          description: 'Of the account on the rates of the card; "1": none.',
          resolve: ({ multiplierBp }) => formatFactor(multiplierBp),
        }),
      }),
    }),
    nullable: true,
    description: 'What a model costs, now or at another moment.',
    authScopes: { admin: true },
    args: {
      model: t.arg.string({ required: true, description: 'A name as an upstream reports it, aliases too.' }),
      at: t.arg({ type: 'DateTime', description: 'Absent: now.' }),
      accountId: t.arg.id({ description: 'On this account. Absent: at list prices.' }),
    },
    resolve: (_parent, { model, at, accountId }, { parts }) =>
      parts.prices
        .book()
        .find(model, at?.getTime() ?? parts.now(), accountId ? idNumber(String(accountId), 'Account') : 0),
  }),
}))
