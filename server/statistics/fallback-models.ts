import { firstKeyAt } from '../request-ids.ts'
import type { Database } from '../store/database.ts'
import type { Range } from './range-plan.ts'
import { bigOf, keySlackMs } from './sums.ts'

/** Requests for one model that has no price card, so that the fallback card priced them. */
export interface FallbackModel {
  /** As it was billed. */
  model: string
  requests: number
  inputTokens: number
  outputTokens: number
  cacheWriteTokens: number
  cacheReadTokens: number
  costNano: bigint
  lastAtMs: number
}

/** Clients may name what they like: more models than this are no list to read. */
const maxModels = 100

/** The most expensive first; of one user where one is given. An index finds them, so that a long range does not read every row. */
export async function readFallbackModels(
  database: Pick<Database, 'select'>,
  { fromMs, toMs }: Range,
  userId?: number,
): Promise<FallbackModel[]> {
  const rows = await database.select(
    'SELECT `model_billed`, COUNT(*), SUM(`input_tokens`), SUM(`output_tokens`), ' +
      'SUM(`cache_write_5m_tokens` + `cache_write_1h_tokens`), SUM(`cache_read_tokens`), SUM(`cost_nano`) AS `cost`, ' +
      "MAX(`started_at_ms`) FROM `logs` WHERE `price_source` = 'fallback' AND `id` >= ? AND `id` < ? " +
      `AND \`started_at_ms\` >= ? AND \`started_at_ms\` < ?${userId === undefined ? '' : ' AND `user_id` = ?'} ` +
      `GROUP BY \`model_billed\` ORDER BY \`cost\` DESC, \`model_billed\` LIMIT ${maxModels}`,
    [
      firstKeyAt(fromMs - keySlackMs),
      firstKeyAt(toMs + keySlackMs),
      fromMs,
      toMs,
      ...(userId === undefined ? [] : [userId]),
    ],
  )
  return rows.map(([model, requests, input, output, cacheWrite, cacheRead, cost, lastAtMs]) => ({
    model: String(model),
    requests: Number(requests),
    inputTokens: Number(input),
    outputTokens: Number(output),
    cacheWriteTokens: Number(cacheWrite),
    cacheReadTokens: Number(cacheRead),
    costNano: bigOf(cost),
    lastAtMs: Number(lastAtMs),
  }))
}
