import { readCheckpoints, storedBy } from '../../live/checkpoints.ts'
import { ledgerKey, requestIdOf } from '../../request-ids.ts'
import { sumRejections } from '../../statistics/rejections.ts'
import type { RequestFilter } from '../../statistics/statistics.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { forwardArgs, forwardPage, spanFields, spanOf } from '../connections.ts'
import { liveViewer } from '../live/live-viewer.ts'
import { RejectionSummary } from '../rejections/rejection-type.ts'
import type { Context } from '../server/context.ts'
import { badInput, idNumber } from '../values.ts'
import { visibleUse } from '../visible.ts'
import { Outcome, Request } from './request-type.ts'
import { findRequest, type RequestView, viewOfRow, viewOfRunning } from './request-view.ts'

/** Values in one list of a filter. */
const maxAmong = 100

const RequestFilterInput = builder.inputType('RequestFilter', {
  description: 'All that is given must hold; of a list one value must fit. A list has at most 100 values.',
  fields: (t) => ({
    apiKeyIds: t.idList({ description: 'The key that the request came with.' }),
    accountIds: t.idList({ description: 'The last account tried.' }),
    groupIds: t.idList({ description: 'The group of the key then.' }),
    ownerIds: t.idList({
      description: 'Who owned the key then. People who are no administrators see only their own requests.',
    }),
    platforms: t.field({ description: 'The platform of the last account tried.', type: [Platform] }),
    models: t.stringList({ description: 'As requested or as billed.' }),
    outcomes: t.field({ description: 'How it ended.', type: [Outcome] }),
    httpStatuses: t.intList({ description: 'The status that the client got.' }),
    stream: t.boolean({ description: 'Whether the client asked for a stream.' }),
    sessionId: t.string({ description: "The client's conversation, the whole of its name." }),
    clientIp: t.string({ description: "The client's address, the whole of it." }),
    ...spanFields(t, 'Requests that began'),
    minCost: t.field({ description: 'Included.', type: 'NanoUsd' }),
    maxCost: t.field({ description: 'Included.', type: 'NanoUsd' }),
    requestId: t.string({ description: 'The whole of it: req_….' }),
  }),
})

function storedFilter(filter: typeof RequestFilterInput.$inferInput, { viewer }: Context): RequestFilter {
  const among = <Value>(name: string, values: readonly Value[] | null | undefined) => {
    if (values && values.length > maxAmong) throw badInput(`\`${name}\` has at most ${maxAmong} values.`)
    return values ?? undefined
  }
  const ids = (name: 'apiKeyIds' | 'accountIds' | 'groupIds' | 'ownerIds', type: string) =>
    among(name, filter[name])?.map((id) => idNumber(String(id), type))
  const owners = ids('ownerIds', 'User')
  const { userId: own } = visibleUse(viewer)
  return {
    apiKeyIds: ids('apiKeyIds', 'ApiKey'),
    accountIds: ids('accountIds', 'Account'),
    groupIds: ids('groupIds', 'Group'),
    userIds: own === undefined ? owners : owners === undefined || owners.includes(own) ? [own] : [],
    platforms: among('platforms', filter.platforms),
    models: among('models', filter.models),
    outcomes: among('outcomes', filter.outcomes),
    httpStatuses: among('httpStatuses', filter.httpStatuses),
    stream: filter.stream ?? undefined,
    sessionId: filter.sessionId ?? undefined,
    clientIp: filter.clientIp ?? undefined,
    ...spanOf(filter),
    minCostNano: filter.minCost ?? undefined,
    maxCostNano: filter.maxCost ?? undefined,
    requestId: filter.requestId ?? undefined,
  }
}

const cursorOf = (what: string) =>
  `${what} Subscribe to \`requestEvents\` with it as \`after\`, and nothing falls between.`

const RequestConnection = builder.connectionObject(
  {
    type: Request,
    name: 'RequestConnection',
    description: 'A page of settled requests. It has no total count: that would read all of them.',
    fields: (t) => ({
      cursor: t.string({
        description: cursorOf('Requests that settled up to this point of the feed are in the list.'),
        resolve: (connection) => (connection as unknown as { cursor: string }).cursor,
      }),
      rejections: t.field({
        type: RejectionSummary,
        nullable: true,
        description:
          'Requests of the same filter that were refused before any upstream was asked: they have no rows. null when the filter names what a rejection does not have, such as an account, a model or a cost.',
        resolve: (connection, _args, context) => {
          const { apiKeyIds, userIds, groupIds, fromMs, toMs, ...rest } = (
            connection as unknown as { filter: RequestFilter }
          ).filter
          if (Object.values(rest).some((value) => value !== undefined)) return null
          return sumRejections(context.parts.database, { apiKeyIds, userIds, groupIds, fromMs, toMs })
        },
      }),
    }),
  },
  { name: 'RequestEdge', description: 'A request, and where it stands in its list.' },
)

builder.queryField('requests', (t) =>
  t.field({
    type: RequestConnection,
    nullable: true,
    description: 'Settled requests, the newest first.',
    authScopes: { user: true },
    args: {
      ...forwardArgs(t.arg),
      filter: t.arg({ type: RequestFilterInput, description: 'Absent: all that you may see.' }),
    },
    async resolve(_parent, { filter, ...page }, context) {
      const key = page.after ? ledgerKey(page.after) : undefined
      if (key === null) throw badInput('`after` is not a cursor.')
      const { parts } = context
      // From now on events are made. The checkpoints are read before the rows: the rows hold at least what they say.
      parts.live.cursor()
      const isStored = storedBy(await readCheckpoints(parts.database))
      const stored = storedFilter(filter ?? {}, context)
      const rows = await forwardPage(
        page,
        (limit) => parts.statistics.requests(stored, limit, key === undefined ? undefined : BigInt(key)),
        (row) => ({ cursor: requestIdOf(row.id), node: viewOfRow(row) }),
      )
      return { ...rows, cursor: parts.live.ledgerCursor(isStored), filter: stored }
    },
  }),
)

builder.queryField('request', (t) =>
  t.field({
    type: Request,
    nullable: true,
    description: 'One request by the id that its client got, running or settled; null when it is not yours to see.',
    authScopes: { user: true },
    args: { requestId: t.arg.string({ required: true, description: 'The whole of it: req_….' }) },
    resolve: (_parent, { requestId }, context) => findRequest(requestId, context),
  }),
)

const RunningRequests = builder.objectRef<{ cursor: string; nodes: RequestView[] }>('RunningRequests').implement({
  description: 'Requests that run now.',
  authScopes: { user: true },
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: cursorOf('The point of the feed at which this list is true.') }),
    nodes: t.expose('nodes', { description: 'The oldest first.', type: [Request] }),
  }),
})

builder.queryField('liveRequests', (t) =>
  t.field({
    type: RunningRequests,
    nullable: true,
    description: 'Requests that run now, in all processes.',
    authScopes: { user: true },
    resolve: (_root, _args, { parts, viewer }) => ({
      cursor: parts.live.cursor(),
      nodes: parts.live.requests(liveViewer(viewer)).map(viewOfRunning),
    }),
  }),
)
