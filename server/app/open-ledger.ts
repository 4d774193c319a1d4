import { counterName } from '../keys/limits.ts'
import { type Ledger, openLedger as openLedgerOf } from '../ledger/ledger.ts'
import { logColumn } from '../ledger/rows.ts'
import type { Prices } from '../prices/open-prices.ts'
import { requestIdOf, slotOf } from '../request-ids.ts'
import type { Counters } from '../store/counters.ts'
import type { AppContext } from './context.ts'
import type { Stores } from './open-stores.ts'

const columns = {
  id: logColumn('id'),
  key: logColumn('api_key_id'),
  billed: logColumn('billed_nano'),
  startedAt: logColumn('started_at_ms'),
}

/** The ledger with the journals of dead processes replayed, and their reservations settled or released. */
export async function openLedger(context: AppContext, stores: Stores, prices: Prices): Promise<Ledger> {
  const { options, now, dayAt, log } = context
  const { database, dataDir, counters, isShared } = stores
  const ledger = await openLedgerOf({
    price: prices.price,
    database,
    dataDir: dataDir.path,
    dayAt,
    now,
    settleIntervalMs: options.settleIntervalMs,
    write: options.writeJournal,
    async onReplayed(rows) {
      // Memory counters start from the ledger. Those on Redis outlived the process and still hold its reservations.
      if (!isShared) return
      for (const { log: row } of rows) {
        const keyId = Number(row[columns.key])
        const { startMs, endMs } = dayAt(Number(row[columns.startedAt]))
        // Of a request that Redis still knows, its own claims count: these are for one that it has forgotten.
        const names = [null, { fromMs: startMs, toMs: endMs }].map((window) =>
          counterName({ subject: 'key', id: keyId, unit: 'cost', window }),
        )
        await counters.settle(requestIdOf(BigInt(row[columns.id]!)), Number(row[columns.billed]), names)
      }
    },
    onError: context.report('ledger'),
  })
  context.onClose(() => ledger.close())
  const { settled, interrupted, foreign, slots } = ledger.replayed
  if (isShared && slots.length > 0) await releaseReservations(counters, new Set(slots))
  if (settled + interrupted > 0)
    log.info({ settled, interrupted }, 'brought the journal of the last run into the ledger')
  if (foreign.length > 0) log.warn({ journals: foreign }, 'journals of another database were left alone')
  return ledger
}

/** A process that died between reservation and journal sent nothing upstream, and no replay knows of its request. */
async function releaseReservations(counters: Counters, deadSlots: ReadonlySet<number | null>): Promise<void> {
  for (const id of await counters.unsettled())
    if (deadSlots.has(slotOf(id.split('/', 1)[0]!))) await counters.settle(id, 0)
}
