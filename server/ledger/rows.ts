import { noCost } from '../money/cost.ts'
import { priceInputsText } from '../money/price-inputs.ts'
import { noReading, type Reading } from '../money/reading.ts'
import { billedOf, chargedAttempt, type LedgerEntry } from './entry.ts'

export type Cell = string | number

// The columns and the row functions below must agree in order; a test holds them together.
export const logColumns = (
  'id started_at_ms api_key_id user_id group_id account_id platform model_requested model_sent model_billed stream outcome ' +
  'http_status error_type stop_reason attempts first_byte_ms duration_ms input_tokens output_tokens cache_write_5m_tokens ' +
  'cache_write_1h_tokens cache_read_tokens thinking_tokens web_searches usage_source usage_raw flags cost_nano input_cost_nano ' +
  'output_cost_nano cache_write_cost_nano cache_read_cost_nano unit_cost_nano price_card_id price_source ' +
  'price_tier_min_tokens price_modifiers session_id agent_id client_ip user_agent request_bytes ' +
  'billed_nano group_charge_bp user_charge_bp cache_saved_nano tag'
).split(' ')

export const attemptColumns = (
  'log_id number account_id model_sent model_billed started_at_ms outcome http_status error_type upstream_request_id ' +
  'first_byte_ms duration_ms charged input_tokens output_tokens cache_write_5m_tokens cache_write_1h_tokens ' +
  'cache_read_tokens usage_source cost_nano price_card_id error_code web_searches price_source price_multiplier_bp price_inputs'
).split(' ')

/** The ledger's row of a request, in the order of `logColumns`. */
export function logRow(entry: LedgerEntry): Cell[] {
  const last = entry.attempts[entry.attempts.length - 1]
  const charged = chargedAttempt(entry)
  const reading = charged?.reading ?? noReading
  const cost = charged?.cost ?? noCost
  const tokens = reading.tokens
  return [
    entry.id,
    entry.startedAtMs,
    entry.apiKeyId,
    entry.userId,
    entry.groupId,
    last?.accountId ?? entry.accountId,
    entry.platform,
    entry.modelRequested,
    last?.modelSent ?? entry.modelSent,
    billedModel(reading, last?.modelSent ?? entry.modelSent),
    entry.stream ? 1 : 0,
    entry.outcome,
    entry.httpStatus,
    entry.errorType,
    reading.stopReason,
    entry.attempts.length,
    entry.firstByteMs,
    entry.durationMs,
    tokens.input,
    tokens.output,
    tokens.cacheWrite5m,
    tokens.cacheWrite1h,
    tokens.cacheRead,
    tokens.thinking,
    tokens.webSearches,
    reading.source,
    reading.raw,
    [...reading.flags, ...cost.flags].join(','),
    cost.totalNano,
    cost.inputNano,
    cost.outputNano,
    cost.cacheWriteNano,
    cost.cacheReadNano,
    cost.unitNano,
    cost.cardId,
    cost.source,
    cost.tierAbovePromptTokens,
    cost.modifiers.join(','),
    entry.sessionId,
    entry.agentId,
    entry.clientIp,
    entry.userAgent,
    entry.requestBytes,
    billedOf(entry),
    entry.groupChargeBp,
    entry.userChargeBp,
    cost.cacheSavedNano,
    entry.tag,
  ]
}

/** The ledger's rows of a request's attempts, in the order of `attemptColumns`. */
export function attemptRows(entry: LedgerEntry): Cell[][] {
  return entry.attempts.map((attempt, index) => {
    const tokens = attempt.reading.tokens
    return [
      entry.id,
      index + 1,
      attempt.accountId,
      attempt.modelSent,
      billedModel(attempt.reading, attempt.modelSent),
      attempt.startedAtMs,
      attempt.outcome,
      attempt.httpStatus,
      attempt.errorType,
      attempt.upstreamRequestId,
      attempt.firstByteMs,
      attempt.durationMs,
      attempt.charged ? 1 : 0,
      tokens.input,
      tokens.output,
      tokens.cacheWrite5m,
      tokens.cacheWrite1h,
      tokens.cacheRead,
      attempt.reading.source,
      attempt.cost.totalNano,
      attempt.cost.cardId,
      attempt.errorCode,
      tokens.webSearches,
      attempt.cost.source,
      attempt.cost.multiplierBp,
      priceInputsText(attempt.reading, attempt.cost),
    ]
  })
}

/** Longest model name that the ledger's columns hold. */
const maxModelLength = 191
function billedModel(reading: Reading, sent: string): string {
  return (reading.model || sent).slice(0, maxModelLength)
}

/** A request's rows as the journal and the database hold them. */
export interface LedgerRows {
  log: readonly Cell[]
  attempts: readonly (readonly Cell[])[]
}

/** The same with its number in the journal, and as JSON text: made once, for the journal and for the database. */
export interface LedgerRecord extends LedgerRows {
  seq: number
  /** JSON array: the row of `logs`. */
  logJson: string
  /** JSON arrays, comma-separated: the rows of `attempts`. */
  attemptsJson: string
}

/** Where a column stands in a row of `logs`. */
export function logColumn(name: string): number {
  const at = logColumns.indexOf(name)
  if (at < 0) throw new Error(`logs has no column ${name}`)
  return at
}
