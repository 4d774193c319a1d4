import { type RejectionFilter, readRejections, rejectionCursor, sumRejections } from '../../statistics/rejections.ts'
import { builder } from '../builder.ts'
import { forwardArgs, forwardPage, spanFields, spanOf } from '../connections.ts'
import { ApiKey } from '../keys/api-keys.ts'
import type { Context } from '../server/context.ts'
import { badInput, idNumber } from '../values.ts'
import { visibleUse } from '../visible.ts'
import { Rejection, RejectionReason, RejectionSummary } from './rejection-type.ts'

const maxAmong = 100
const dayMs = 24 * 3_600_000

const RejectionFilterInput = builder.inputType('RejectionFilter', {
  description: 'All that is given must hold; of a list one value must fit. A list has at most 100 values.',
  fields: (t) => ({
    apiKeyIds: t.idList({ description: 'The key that the requests came with.' }),
    ownerIds: t.idList({ description: 'Who owned the key then. People who are no administrators see only their own.' }),
    groupIds: t.idList({ description: 'The group of the key then.' }),
    reasons: t.field({ type: [RejectionReason], description: 'Why they were refused.' }),
    secretHash: t.string({ description: 'The begin of the HMAC of an unknown secret, as a rejection shows it.' }),
    ...spanFields(t, 'Refused', 'Widened to the'),
  }),
})

/** Only what this viewer may read. */
function ownRejections(filter: RejectionFilter, { viewer }: Context): RejectionFilter {
  const { userId: own } = visibleUse(viewer)
  if (own === undefined) return filter
  return { ...filter, userIds: filter.userIds === undefined || filter.userIds.includes(own) ? [own] : [] }
}

function storedFilter(input: typeof RejectionFilterInput.$inferInput, context: Context): RejectionFilter {
  const among = <Value>(name: string, values: readonly Value[] | null | undefined) => {
    if (values && values.length > maxAmong) throw badInput(`\`${name}\` has at most ${maxAmong} values.`)
    return values ?? undefined
  }
  const ids = (name: 'apiKeyIds' | 'ownerIds' | 'groupIds', type: string) =>
    among(name, input[name])?.map((id) => idNumber(String(id), type))
  const filter: RejectionFilter = {
    apiKeyIds: ids('apiKeyIds', 'ApiKey'),
    userIds: ids('ownerIds', 'User'),
    groupIds: ids('groupIds', 'Group'),
    reasons: among('reasons', input.reasons),
    secretHash: input.secretHash ?? undefined,
    ...spanOf(input),
  }
  return ownRejections(filter, context)
}

const RejectionConnection = builder.connectionObject(
  {
    type: Rejection,
    name: 'RejectionConnection',
    fields: (t) => ({
      summary: t.field({
        type: RejectionSummary,
        nullable: true,
        description: 'Of all pages together.',
        resolve: (connection, _args, { parts }) =>
          sumRejections(parts.database, (connection as unknown as { filter: RejectionFilter }).filter),
      }),
    }),
  },
  { name: 'RejectionEdge' },
)

builder.queryField('rejections', (t) =>
  t.field({
    type: RejectionConnection,
    nullable: true,
    description:
      'Requests that were refused before any upstream was asked, counted by hour, key and reason; the newest hour first.',
    authScopes: { user: true },
    args: {
      ...forwardArgs(t.arg),
      filter: t.arg({ type: RejectionFilterInput, description: 'Absent: all that you may see.' }),
    },
    async resolve(_parent, { filter: given, ...page }, context) {
      const filter = storedFilter(given ?? {}, context)
      const rows = await forwardPage(
        page,
        async (limit) => {
          const found = await readRejections(context.parts.database, filter, limit, page.after ?? undefined)
          if (found === null) throw badInput('`after` is not a cursor.')
          return found
        },
        (node) => ({ cursor: rejectionCursor(node), node }),
      )
      return { ...rows, filter }
    },
  }),
)

builder.objectField(ApiKey, 'rejections', (t) =>
  t.field({
    type: RejectionSummary,
    nullable: true,
    description: 'Its requests that were refused before any upstream was asked.',
    args: {
      since: t.arg({ type: 'DateTime', description: 'Absent: the last 24 hours. Widened to the begin of its hour.' }),
    },
    resolve: ({ id }, { since }, { parts }) =>
      sumRejections(parts.database, { apiKeyIds: [id], fromMs: since?.getTime() ?? parts.now() - dayMs }),
  }),
)
