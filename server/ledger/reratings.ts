import { BatchConflict, type Database, type Tx } from '../store/database.ts'
import { conflict } from '../verb-failure.ts'
import type { ZoneDay } from '../zone-days.ts'
import type { PriceReading } from './ledger.ts'
import { noRerateSums, type RerateFilter, type RerateSums, rerateBatch } from './rerating.ts'

const batchRows = 500
/** A preview reads so many rows at most. */
const maxPreviewed = 100_000
/** Rows that change under a batch make it read them again; so often one after the other is no coincidence. */
const maxConflicts = 20

export type Reratings = ReturnType<typeof createReratings>

/** Re-rating: rows of the ledger get the prices of today's book. One at a time, in batches that can be cut off at any point. */
export function createReratings(parts: {
  database: Database
  price: PriceReading
  dayAt: (atMs: number) => ZoneDay
  now: () => number
}) {
  const { database } = parts
  /** After a start one may be there that was cut off. */
  let mayBeDue = true

  async function finish(id: number, filter: RerateFilter, fromId: bigint): Promise<RerateSums> {
    let doneId = fromId
    let conflicts = 0
    let sums = noRerateSums
    for (;;) {
      const { writes, lastId, ...batch } = await rerateBatch(parts, filter, doneId, batchRows)
      const next = lastId ?? doneId
      const finishedAtMs = lastId === null ? parts.now() : null
      try {
        await database.batch([
          ...writes,
          {
            kind: 'run',
            sql:
              'UPDATE `reratings` SET `done_id` = ?, `finished_at_ms` = ?, `rows` = `rows` + ?, `changed` = `changed` + ?, ' +
              '`cost_before_nano` = `cost_before_nano` + ?, `cost_after_nano` = `cost_after_nano` + ?, ' +
              '`billed_before_nano` = `billed_before_nano` + ?, `billed_after_nano` = `billed_after_nano` + ? ' +
              'WHERE `id` = ? AND `done_id` = ? AND `finished_at_ms` IS NULL',
            args: [
              next,
              finishedAtMs,
              batch.rows,
              batch.changed,
              batch.costBeforeNano,
              batch.costAfterNano,
              batch.billedBeforeNano,
              batch.billedAfterNano,
              id,
              doneId,
            ],
            expect: 1,
          },
        ])
      } catch (error) {
        if (!(error instanceof BatchConflict) || ++conflicts > maxConflicts) throw error
        continue
      }
      conflicts = 0
      doneId = next
      sums = added(sums, batch)
      if (lastId === null) return sums
    }
  }

  return {
    isDue: (): boolean => mayBeDue,

    /** What re-rating would come to; `isComplete` is false when there are more rows than are looked at. */
    async preview(filter: RerateFilter): Promise<RerateSums & { isComplete: boolean }> {
      let sums = noRerateSums
      let afterId = 0n
      while (sums.rows < maxPreviewed) {
        const { lastId, writes: _writes, ...batch } = await rerateBatch(parts, filter, afterId, batchRows)
        sums = added(sums, batch)
        if (lastId === null) return { ...sums, isComplete: true }
        afterId = lastId
      }
      return { ...sums, isComplete: false }
    },

    /** Notes what is to be priced anew. Throws a conflict while another one runs. */
    async start(tx: Tx, filter: RerateFilter, userId: number): Promise<number> {
      if (await tx.rerating.findFirst({ where: { finishedAtMs: null } })) throw conflict('RERATING_RUNS')
      const data = { createdById: userId, startedAtMs: BigInt(parts.now()), filter: JSON.stringify(filter) }
      const { id } = await tx.rerating.create({ data })
      mayBeDue = true
      return id
    },

    /** Goes on with what was started, here or by a process that died. Returns what it came to; null: there was nothing. */
    async run(): Promise<RerateSums | null> {
      const row = await database.client.rerating.findFirst({ where: { finishedAtMs: null } })
      const sums = row && (await finish(row.id, JSON.parse(row.filter) as RerateFilter, row.doneId))
      mayBeDue = false
      return sums
    },
  }
}

function added(one: RerateSums, more: RerateSums): RerateSums {
  return {
    rows: one.rows + more.rows,
    changed: one.changed + more.changed,
    costBeforeNano: one.costBeforeNano + more.costBeforeNano,
    costAfterNano: one.costAfterNano + more.costAfterNano,
    billedBeforeNano: one.billedBeforeNano + more.billedBeforeNano,
    billedAfterNano: one.billedAfterNano + more.billedAfterNano,
  }
}
