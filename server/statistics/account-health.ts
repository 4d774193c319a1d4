import { firstKeyAt } from '../request-ids.ts'
import type { Database } from '../store/database.ts'

/** What the latest attempts say of an account. */
export interface AccountHealth {
  answered: number
  /** Without errors that were the request's own, and without clients that left. */
  failed: number
  /** The request of its newest failed attempt. */
  lastFailedKey: bigint | null
}

/** Only the newest attempts are read: no index finds those of one account. */
const maxAttempts = 20_000
const failures = "('failing', 'limited', 'refused')"

/** By account, over the newest attempts of all accounts since a moment. */
export async function readHealth(
  database: Pick<Database, 'select'>,
  sinceMs: number,
): Promise<Map<number, AccountHealth>> {
  const rows = await database.select(
    "SELECT `account_id`, SUM(CASE WHEN `outcome` = 'answer' THEN 1 ELSE 0 END), " +
      `SUM(CASE WHEN \`outcome\` IN ${failures} THEN 1 ELSE 0 END), ` +
      `MAX(CASE WHEN \`outcome\` IN ${failures} THEN \`log_id\` END) FROM ` +
      '(SELECT `account_id`, `outcome`, `log_id` FROM `attempts` ' +
      `WHERE \`log_id\` >= ? ORDER BY \`log_id\` DESC LIMIT ${maxAttempts}) AS \`newest\` GROUP BY \`account_id\``,
    [firstKeyAt(sinceMs)],
  )
  return new Map(
    rows.map(([id, answered, failed, key]) => [
      Number(id),
      {
        answered: Number(answered),
        failed: Number(failed),
        lastFailedKey: key === null || key === undefined ? null : BigInt(String(key)),
      },
    ]),
  )
}

/** Accounts that have ever answered a request, a probe or a test. */
export async function readTested(
  database: Pick<Database, 'select'>,
  accountIds: readonly number[],
): Promise<Set<number>> {
  const one =
    "SELECT ?, CASE WHEN EXISTS (SELECT 1 FROM `logs` WHERE `account_id` = ? AND `outcome` = 'completed') " +
    "OR EXISTS (SELECT 1 FROM `job_runs` WHERE `account_id` = ? AND `outcome` = 'done') THEN 1 ELSE 0 END"
  const rows = await database.select(
    accountIds.map(() => one).join(' UNION ALL '),
    accountIds.flatMap((id) => [id, id, id]),
  )
  return new Set(rows.flatMap(([id, found]) => (Number(found) === 1 ? [Number(id)] : [])))
}
