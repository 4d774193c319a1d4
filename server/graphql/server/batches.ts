import type { Viewer } from '../../identity/sessions.ts'
import { visibleAccounts, visibleGroups, visibleKeys, visibleUsers } from '../visible.ts'
import type { GraphqlParts } from './context.ts'

/** Single questions of one operation, asked of the database together. One set for each operation: nothing is kept longer. */
export function createBatches(parts: Pick<GraphqlParts, 'database' | 'statistics'>, viewer: Viewer | null) {
  const { statistics } = parts
  const { reader } = parts.database
  // Also what was deleted: the ledger outlives its objects. The rights hold all the same.
  const rows = <Row extends { id: number }>(find: (ids: number[]) => Promise<Row[]>) =>
    batched(async (ids: readonly number[]) => new Map((await find([...ids])).map((row) => [row.id, row])))
  return {
    user: rows((ids) => reader.user.findMany({ where: { AND: [visibleUsers(viewer), { id: { in: ids } }] } })),
    group: rows((ids) => reader.group.findMany({ where: { AND: [visibleGroups(viewer), { id: { in: ids } }] } })),
    account: rows((ids) => reader.account.findMany({ where: { AND: [visibleAccounts(viewer), { id: { in: ids } }] } })),
    /** What may be seen of a credential; of accounts that were read under their rights. */
    credential: batched(async (ids: readonly number[]) => {
      const select = { accountId: true, expiresAtMs: true, refreshedAtMs: true, refreshFailure: true } as const
      const found = await reader.accountCredential.findMany({ where: { accountId: { in: [...ids] } }, select })
      return new Map(found.map((row) => [row.accountId, row]))
    }),
    apiKey: rows((ids) => reader.apiKey.findMany({ where: { AND: [visibleKeys(viewer), { id: { in: ids } }] } })),
    today: batched((ids: readonly number[]) => statistics.todayByAccount(ids)),
    keyUse: batched((ids: readonly number[]) => statistics.keyUse(ids)),
    attempts: batched(async (ids: readonly bigint[]) => {
      const found = await statistics.attempts(ids)
      return new Map(ids.map((id) => [id, found.filter((row) => row.logId === id)]))
    }),
  }
}

export type Batches = ReturnType<typeof createBatches>

/** Asks for all ids of one turn at once; the same id is asked once. Undefined where there is no answer. */
function batched<Id, Value>(
  load: (ids: readonly Id[]) => Promise<Map<Id, Value>>,
): (id: Id) => Promise<Value | undefined> {
  let waiting: { ids: Set<Id>; answer: Promise<Map<Id, Value>> } | null = null
  return async (id) => {
    if (waiting === null) {
      const ids = new Set<Id>()
      const answer = new Promise((resolve) => setImmediate(resolve)).then(() => {
        waiting = null
        return load([...ids])
      })
      waiting = { ids, answer }
    }
    waiting.ids.add(id)
    return (await waiting.answer).get(id)
  }
}
