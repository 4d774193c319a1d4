import type { Viewer } from '../../identity/sessions.ts'
import { readSessionParts, type SessionName } from '../../statistics/client-sessions.ts'
import type { TotalsRow } from '../../statistics/sums.ts'
import type { Page } from '../../store/newest-of-each.ts'
import { visibleAccounts, visibleGroups, visibleKeys, visibleUse, visibleUsers } from '../visible.ts'
import type { GraphqlParts } from './parts.ts'

/** Lookups by id, batched: all of one turn of the event loop are one query. Each operation has its own; nothing is cached longer. */
export function createBatches(
  parts: Pick<GraphqlParts, 'database' | 'statistics' | 'accounts' | 'jobs'>,
  viewer: Viewer | null,
) {
  const { statistics } = parts
  const { reader } = parts.database
  // Includes deleted rows, because the ledger outlives them.
  const rows = <Row extends { id: number }>(find: (ids: number[]) => Promise<Row[]>) =>
    batched(async (ids: readonly number[]) => new Map((await find([...ids])).map((row) => [row.id, row])))
  /** Pages of lists inside a list. */
  const lists = <Parent, Row>(read: (pages: readonly Page<Parent>[]) => Promise<Row[][]>) =>
    batched(async (pages: readonly Page<Parent>[]) => {
      const found = await read(pages)
      return new Map(pages.map((page, index) => [page, found[index]!]))
    })
  const uses = new Map<string, (id: number) => Promise<TotalsRow | undefined>>()
  return {
    user: rows((ids) => reader.user.findMany({ where: { AND: [visibleUsers(viewer), { id: { in: ids } }] } })),
    group: rows((ids) => reader.group.findMany({ where: { AND: [visibleGroups(viewer), { id: { in: ids } }] } })),
    account: rows((ids) => reader.account.findMany({ where: { AND: [visibleAccounts(viewer), { id: { in: ids } }] } })),
    /** How many accounts of a group the viewer may see. */
    accountsOfGroup: batched(async (ids: readonly number[]) => {
      const account = { AND: [visibleAccounts(viewer), { deletedMark: 0 }] }
      const where = { groupId: { in: [...ids] }, account }
      const counts = await reader.accountGroup.groupBy({ by: ['groupId'], where, _count: { accountId: true } })
      return new Map(counts.map(({ groupId, _count }) => [groupId, _count.accountId]))
    }),
    /** The readable part of a credential. Only for accounts that the viewer was allowed to read. */
    credential: batched(async (ids: readonly number[]) => {
      const omit = { sealed: true } as const
      const found = await reader.accountCredential.findMany({ where: { accountId: { in: [...ids] } }, omit })
      return new Map(found.map((row) => [row.accountId, row]))
    }),
    apiKey: rows((ids) => reader.apiKey.findMany({ where: { AND: [visibleKeys(viewer), { id: { in: ids } }] } })),
    /** The sums of a key or an account since the begin of a day; null: of all time. */
    useSince(of: 'key' | 'account', day: string | null, id: number): Promise<TotalsRow | undefined> {
      const name = `${of} ${day}`
      const known = uses.get(name) ?? batched((ids: readonly number[]) => statistics.since(of, ids, day))
      uses.set(name, known)
      return known(id)
    },
    lastUsed: {
      key: batched((ids: readonly number[]) => statistics.lastUsed('key', ids)),
      account: batched((ids: readonly number[]) => statistics.lastUsed('account', ids)),
    },
    /** The parts of a client's session: once for its models and its threads. */
    sessionParts: batched(async (sessions: readonly SessionName[]) => {
      const found = await Promise.all(sessions.map((session) => readSessionParts(parts.database, session)))
      return new Map(sessions.map((session, index) => [session, found[index]!]))
    }),
    /** What the latest attempts say. */
    health: batched((_ids: readonly number[]) => statistics.health()),
    isTested: batched(async (ids: readonly number[]) => {
      const tested = await statistics.tested(ids)
      return new Map(ids.map((id) => [id, tested.has(id)]))
    }),
    /** Settled requests that the viewer may see, by their keys. */
    stored: batched(async (keys: readonly bigint[]) => {
      const found = await statistics.byKeys(keys, visibleUse(viewer).userId)
      return new Map(found.map((row) => [row.id, row]))
    }),
    timeline: lists((pages: readonly Page[]) => parts.accounts.timelines(pages)),
    probes: lists((pages: readonly Page[]) => parts.jobs.probesOf(pages)),
    runs: lists((pages: readonly Page<string>[]) => parts.jobs.runsOf(pages)),
    attempts: batched(async (ids: readonly bigint[]) => {
      const found = await statistics.attempts(ids)
      return new Map(ids.map((id) => [id, found.filter((row) => row.logId === id)]))
    }),
  }
}

export type Batches = ReturnType<typeof createBatches>

/** Loads all ids of one turn at once, each id once. Undefined where nothing was found. */
function batched<Id, Value>(
  load: (ids: readonly Id[]) => Promise<Map<Id, Value>>,
): (id: Id) => Promise<Value | undefined> {
  let pending: { ids: Set<Id>; loaded: Promise<Map<Id, Value>> } | null = null
  return async (id) => {
    if (pending === null) {
      const ids = new Set<Id>()
      const loaded = new Promise((resolve) => setImmediate(resolve)).then(() => {
        pending = null
        return load([...ids])
      })
      pending = { ids, loaded }
    }
    pending.ids.add(id)
    return (await pending.loaded).get(id)
  }
}
