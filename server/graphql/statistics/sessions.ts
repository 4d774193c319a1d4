import { decodeGlobalID, encodeGlobalID } from '@pothos/plugin-relay'
import {
  type ClientSession as ClientSessionRow,
  readSession,
  readSessions,
  type SessionFilter,
  type SessionName,
  type SessionOrder,
  type SessionPart,
  type SessionSums,
  sessionCursor,
  sumOfParts,
} from '../../statistics/client-sessions.ts'
import { builder, defaultPage, maxPage } from '../builder.ts'
import { User } from '../identity/users.ts'
import { ApiKey } from '../keys/api-keys.ts'
import type { Context } from '../server/context.ts'
import { badInput, idNumbers } from '../values.ts'
import { visibleUse } from '../visible.ts'

/** Fields that a session, an agent of it and a model have in common. */
const SessionUse = builder.interfaceRef<SessionSums>('SessionUse').implement({
  description: 'Sums over requests of a session that have ended.',
  authScopes: { user: true },
  fields: (t) => ({
    startedAt: t.field({
      type: 'DateTime',
      description: 'Begin of the first request.',
      resolve: ({ startedAtMs }) => new Date(startedAtMs),
    }),
    endedAt: t.field({
      type: 'DateTime',
      description: 'End of the request that ended last.',
      resolve: ({ endedAtMs }) => new Date(endedAtMs),
    }),
    requests: t.expose('requests', { type: 'Count', description: 'However they ended.' }),
    completed: t.field({
      type: 'Count',
      description: 'With a whole response.',
      resolve: ({ requests, failures }) => requests - failures,
    }),
    failed: t.field({
      type: 'Count',
      description: 'That ended with an error, or broke off on our side.',
      resolve: ({ failures, cancelled }) => failures - cancelled,
    }),
    cancelled: t.expose('cancelled', { type: 'Count', description: 'Whose client left.' }),
    failovers: t.expose('failovers', { type: 'Count', description: 'Attempts beyond the first of each request.' }),
    inputTokens: t.expose('inputTokens', { type: 'Count', description: 'Read anew: without cache reads and writes.' }),
    outputTokens: t.expose('outputTokens', { type: 'Count', description: 'Written, with thinking.' }),
    cacheWrite5mTokens: t.expose('cacheWrite5mTokens', {
      type: 'Count',
      description: 'Written into the cache for five minutes.',
    }),
    cacheWrite1hTokens: t.expose('cacheWrite1hTokens', {
      type: 'Count',
      description: 'Written into the cache for an hour.',
    }),
    cacheReadTokens: t.expose('cacheReadTokens', { type: 'Count', description: 'Read from the cache.' }),
    cacheHitRate: t.float({
      nullable: true,
      description: 'Tokens read from the cache among those of all prompts, 0 to 1; null without prompts.',
      resolve({ inputTokens, cacheWrite5mTokens, cacheWrite1hTokens, cacheReadTokens }) {
        const prompts = inputTokens + cacheWrite5mTokens + cacheWrite1hTokens + cacheReadTokens
        return prompts === 0 ? null : cacheReadTokens / prompts
      },
    }),
    cacheSaved: t.expose('cacheSavedNano', {
      type: 'NanoUsd',
      description: 'What the prompts would have cost without a cache, less what they cost.',
    }),
    cost: t.expose('costNano', { type: 'NanoUsd', description: 'By the price book.' }),
    billed: t.expose('billedNano', { type: 'NanoUsd', description: 'The cost times the charge factors.' }),
    absorbed: t.expose('absorbedNano', {
      type: 'NanoUsd',
      description: 'What upstreams charged for attempts that no key pays.',
    }),
  }),
})

interface ModelUse extends SessionSums {
  model: string
}

const SessionModel = builder.objectRef<ModelUse>('SessionModel').implement({
  description: 'What a session, or an agent of it, used of one model.',
  authScopes: { user: true },
  interfaces: [SessionUse],
  fields: (t) => ({ model: t.exposeString('model', { description: 'The model as it was billed.' }) }),
})

interface ThreadUse extends SessionSums {
  agentId: string
  parts: readonly SessionPart[]
}

const SessionThread = builder.objectRef<ThreadUse>('SessionThread').implement({
  description: 'The main thread of a session, or one of its subagents.',
  authScopes: { user: true },
  interfaces: [SessionUse],
  fields: (t) => ({
    agentId: t.string({
      nullable: true,
      description: 'The id that the client gave the subagent; null: the main thread.',
      resolve: ({ agentId }) => agentId || null,
    }),
    models: t.field({
      type: [SessionModel],
      description: 'The most expensive first.',
      resolve: ({ parts }) => groupedBy(parts, 'model').map(({ key, ...sums }) => ({ ...sums, model: key })),
    }),
  }),
})

/** Sums of parts by their agent or model, the most expensive first. */
function groupedBy(parts: readonly SessionPart[], by: 'agentId' | 'model') {
  return [...new Set(parts.map((part) => part[by]))]
    .map((key) => {
      const some = parts.filter((part) => part[by] === key)
      return { ...sumOfParts(some), key, parts: some }
    })
    .sort((one, other) => Number(other.costNano - one.costNano))
}

const ClientSession = builder.objectRef<ClientSessionRow>('ClientSession').implement({
  description:
    'A conversation of a client such as Claude Code, with its subagents: the requests that came with one key and one session id.',
  authScopes: { user: true },
  interfaces: [SessionUse],
  fields: (t) => ({
    id: t.id({
      description: 'What `session` takes.',
      resolve: ({ apiKeyId, userId, sessionId }) =>
        encodeGlobalID('ClientSession', JSON.stringify([apiKeyId, userId, sessionId])),
    }),
    sessionId: t.exposeString('sessionId', {
      description: 'As the client sends it; also in the filter of `requests`.',
    }),
    apiKey: t.field({
      type: ApiKey,
      nullable: true,
      description: 'The key that it came with; null when it is not yours to see.',
      resolve: ({ apiKeyId }, _args, { batches }) => batches.apiKey(apiKeyId),
    }),
    owner: t.field({
      type: User,
      nullable: true,
      description: 'Who owned the key then.',
      resolve: ({ userId }, _args, { batches }) => batches.user(userId),
    }),
    models: t.field({
      type: [SessionModel],
      description: 'The most expensive first.',
      complexity: 10,
      resolve: async (session, _args, { batches }) =>
        groupedBy((await batches.sessionParts(session)) ?? [], 'model').map(({ key, ...sums }) => ({
          ...sums,
          model: key,
        })),
    }),
    threads: t.field({
      type: [SessionThread],
      description: 'The main thread and each subagent, the most expensive first.',
      complexity: 10,
      resolve: async (session, _args, { batches }) =>
        groupedBy((await batches.sessionParts(session)) ?? [], 'agentId').map(({ key, ...sums }) => ({
          ...sums,
          agentId: key,
        })),
    }),
  }),
})

const ClientSessionOrder = builder.enumType('ClientSessionOrder', {
  description: 'What a list of sessions goes by; the highest first.',
  values: {
    ENDED_AT: { value: 'ended', description: 'The session with the newest request first.' },
    STARTED_AT: { value: 'started', description: 'The session that began last first.' },
    COST: { value: 'cost', description: 'The most expensive first.' },
    REQUESTS: { value: 'requests', description: 'The session with most requests first.' },
  } as const satisfies Record<string, { value: SessionOrder; description: string }>,
})

const maxAmong = 100
const ClientSessionFilterInput = builder.inputType('ClientSessionFilter', {
  description: 'All that is given must hold; of a list one value must fit. A list has at most 100 values.',
  fields: (t) => ({
    apiKeyIds: t.idList({ description: 'The key that it came with.' }),
    ownerIds: t.idList({ description: 'Who owned the key then. People who are no administrators see only their own.' }),
    sessionId: t.string({ description: 'As the client sends it, the whole of it.' }),
    from: t.field({ type: 'DateTime', description: 'Its last request ended then or later.' }),
    to: t.field({ type: 'DateTime', description: 'Its last request ended before.' }),
  }),
})

function storedFilter(
  given: typeof ClientSessionFilterInput.$inferInput | null | undefined,
  { viewer }: Context,
): SessionFilter {
  const ids = (name: 'apiKeyIds' | 'ownerIds', type: string) => {
    const values = given?.[name]
    if (values && values.length > maxAmong) throw badInput(`\`filter.${name}\` has at most ${maxAmong} values.`)
    return values ? idNumbers(values, type) : undefined
  }
  const owners = ids('ownerIds', 'User')
  const { userId: own } = visibleUse(viewer)
  return {
    apiKeyIds: ids('apiKeyIds', 'ApiKey'),
    userIds: own === undefined ? owners : owners === undefined || owners.includes(own) ? [own] : [],
    sessionId: given?.sessionId ?? undefined,
    fromMs: given?.from?.getTime(),
    toMs: given?.to?.getTime(),
  }
}

const ClientSessionConnection = builder.connectionObject(
  { type: ClientSession, name: 'ClientSessionConnection' },
  { name: 'ClientSessionEdge' },
)

builder.queryField('sessions', (t) =>
  t.connection(
    {
      type: ClientSession,
      nullable: true,
      description:
        'Sessions of clients; of people who are no administrators, those of their own keys. Forwards only: `first` and `after`.',
      authScopes: { user: true },
      args: {
        filter: t.arg({ type: ClientSessionFilterInput, description: 'Absent: all that you may see.' }),
        orderBy: t.arg({ type: ClientSessionOrder, defaultValue: 'ended', description: 'The highest first.' }),
      },
      async resolve(_parent, { first, after, last, before, filter, orderBy: given }, context) {
        if (last || before) throw badInput('Sessions are read forwards: use `first` and `after`.')
        const size = first ?? defaultPage
        if (size < 1 || size > maxPage) throw badInput(`\`first\` must be 1 to ${maxPage}.`)
        const orderBy = given ?? 'ended'
        const { database } = context.parts
        const rows = await readSessions(database, storedFilter(filter, context), orderBy, size + 1, after ?? undefined)
        if (rows === null) throw badInput('`after` is not a cursor.')
        const edges = rows.slice(0, size).map((node) => ({ cursor: sessionCursor(node, orderBy), node }))
        return {
          edges,
          pageInfo: {
            hasNextPage: rows.length > size,
            hasPreviousPage: typeof after === 'string',
            startCursor: edges[0]?.cursor ?? null,
            endCursor: edges.at(-1)?.cursor ?? null,
          },
        }
      },
    },
    ClientSessionConnection,
  ),
)

builder.queryField('session', (t) =>
  t.field({
    type: ClientSession,
    nullable: true,
    description: 'One session of a client; null when there is none, or it is not yours to see.',
    authScopes: { user: true },
    args: { id: t.arg.id({ required: true, description: 'The `id` of a ClientSession.' }) },
    resolve(_parent, { id }, { parts, viewer }) {
      const name = nameOf(String(id))
      const { userId: own } = visibleUse(viewer)
      if (name === null || (own !== undefined && own !== name.userId)) return null
      return readSession(parts.database, name)
    },
  }),
)

function nameOf(id: string): SessionName | null {
  try {
    const { typename, id: text } = decodeGlobalID(id)
    const [apiKeyId, userId, sessionId]: unknown[] = JSON.parse(text)
    const isName =
      typename === 'ClientSession' &&
      Number.isSafeInteger(apiKeyId) &&
      Number.isSafeInteger(userId) &&
      typeof sessionId === 'string'
    return isName ? { apiKeyId: Number(apiKeyId), userId: Number(userId), sessionId } : null
  } catch {
    return null
  }
}
