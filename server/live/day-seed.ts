import type { Database } from '../store/database.ts'
import type { DaySeed } from './day-totals.ts'

/** Reads the sums of a day and the checkpoints of all journals. One statement, so that both are of one moment. */
export async function readDaySeed(
  database: Pick<Database, 'select'>,
  day: string,
  /** Rejections by owner that are not in the database yet. */
  pendingRejections: (day: string) => ReadonlyMap<number, number> = () => new Map(),
): Promise<DaySeed> {
  const pending = pendingRejections(day)
  const rows = await database.select(
    'SELECT 0, `user_id`, SUM(`requests`), SUM(`failures`), SUM(`cancelled`), SUM(`rejected`), ' +
      'SUM(`input_tokens` + `output_tokens` + `cache_write_tokens` + `cache_read_tokens`), SUM(`cost_nano`) ' +
      'FROM `daily_rollups` WHERE `day` = ? GROUP BY `user_id` ' +
      'UNION ALL SELECT 1, `id`, `settled_seq`, 0, 0, 0, 0, 0 FROM `journals`',
    [day],
  )
  const seed: DaySeed = { byUser: new Map(), checkpoints: new Map() }
  for (const [isJournal, id, first, failures, cancelled, rejected, tokens, costNano] of rows) {
    if (Number(isJournal) === 1) seed.checkpoints.set(Number(id), Number(first))
    else
      seed.byUser.set(Number(id), {
        requests: Number(first),
        failures: Number(failures),
        cancelled: Number(cancelled),
        rejected: Number(rejected),
        tokens: Number(tokens),
        costNano: Number(costNano),
      })
  }
  for (const [userId, rejected] of pending) {
    const sums = seed.byUser.get(userId)
    if (sums) sums.rejected += rejected
    else seed.byUser.set(userId, { requests: 0, failures: 0, cancelled: 0, rejected, tokens: 0, costNano: 0 })
  }
  return seed
}
