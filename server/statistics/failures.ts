import { firstKeyAt } from '../request-ids.ts'
import type { Database } from '../store/database.ts'

/** Failed attempts on one account with the same status, type and code. */
export interface FailureCount {
  accountId: number
  platform: string
  outcome: 'caller' | 'limited' | 'refused' | 'failing'
  httpStatus: number
  errorType: string
  errorCode: string
  attempts: number
  lastAtMs: number
}

/** Only the newest attempts are read: no index finds the failed ones. */
const maxAttempts = 200_000
const maxKinds = 1000

/** Failed attempts since `sinceMs`, counted by account, outcome, status, type and code; the most frequent first. */
export async function readFailures(database: Pick<Database, 'select'>, sinceMs: number): Promise<FailureCount[]> {
  const rows = await database.select(
    'SELECT `f`.`account_id`, `a`.`platform`, `f`.`outcome`, `f`.`http_status`, `f`.`error_type`, `f`.`error_code`, ' +
      'COUNT(*) AS `times`, MAX(`f`.`started_at_ms`) FROM ' +
      '(SELECT `account_id`, `outcome`, `http_status`, `error_type`, `error_code`, `started_at_ms` FROM `attempts` ' +
      `WHERE \`log_id\` >= ? ORDER BY \`log_id\` DESC LIMIT ${maxAttempts}) AS \`f\` ` +
      'INNER JOIN `accounts` AS `a` ON `a`.`id` = `f`.`account_id` ' +
      "WHERE `f`.`outcome` IN ('caller', 'limited', 'refused', 'failing') " +
      'GROUP BY `f`.`account_id`, `a`.`platform`, `f`.`outcome`, `f`.`http_status`, `f`.`error_type`, `f`.`error_code` ' +
      `ORDER BY \`times\` DESC LIMIT ${maxKinds}`,
    [firstKeyAt(sinceMs)],
  )
  return rows.map(([accountId, platform, outcome, httpStatus, errorType, errorCode, attempts, lastAtMs]) => ({
    accountId: Number(accountId),
    platform: String(platform),
    outcome: String(outcome) as FailureCount['outcome'],
    httpStatus: Number(httpStatus),
    errorType: String(errorType),
    errorCode: String(errorCode),
    attempts: Number(attempts),
    lastAtMs: Number(lastAtMs),
  }))
}
