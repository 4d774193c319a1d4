import type { Tokens } from '../../../money/reading.ts'
import type { UsageFlags } from './usage-flags.ts'

/** Token counts of a usage object or of one of its iterations, as far as they were reported. All fields are always there: one shape for V8. */
export interface Counts {
  input: number | undefined
  output: number | undefined
  cacheWrite: number | undefined
  cacheWrite5m: number | undefined
  cacheWrite1h: number | undefined
  cacheRead: number | undefined
  thinking: number | undefined
  webSearches: number | undefined
}

export const noCounts = (): Counts => ({
  input: undefined,
  output: undefined,
  cacheWrite: undefined,
  cacheWrite5m: undefined,
  cacheWrite1h: undefined,
  cacheRead: undefined,
  thinking: undefined,
  webSearches: undefined,
})

/** No prompt and no response is near this. A larger count is a fault of the upstream, not something to bill (fault 29). */
const largestCount = 1_000_000_000

/** Puts the counts that are there into `counts`, each in 0 … largestCount; flags `clamped` when one had to be changed or left out. */
export function readCounts(usage: Record<string, unknown>, flags: UsageFlags, counts: Counts): Counts {
  const split = fieldsOf(usage['cache_creation'])
  counts.input = countOf(usage['input_tokens'], counts.input, flags)
  counts.output = countOf(usage['output_tokens'], counts.output, flags)
  counts.cacheWrite = countOf(usage['cache_creation_input_tokens'], counts.cacheWrite, flags)
  counts.cacheWrite5m = countOf(split['ephemeral_5m_input_tokens'], counts.cacheWrite5m, flags)
  counts.cacheWrite1h = countOf(split['ephemeral_1h_input_tokens'], counts.cacheWrite1h, flags)
  counts.cacheRead = countOf(usage['cache_read_input_tokens'], counts.cacheRead, flags)
  counts.thinking = countOf(fieldsOf(usage['output_tokens_details'])['thinking_tokens'], counts.thinking, flags)
  counts.webSearches = countOf(fieldsOf(usage['server_tool_use'])['web_search_requests'], counts.webSearches, flags)
  return counts
}

/** Some servers write numbers as text. Anything else that is no number stays as it is. */
export const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value

/** The count, or the one `before` where none was reported. */
function countOf(given: unknown, before: number | undefined, flags: UsageFlags): number | undefined {
  if (given === undefined || given === null) return before
  const value = numberOf(given)
  if (typeof value !== 'number' || Number.isNaN(value)) {
    flags.add('clamped')
    return before
  }
  const count = Math.min(Math.max(Math.trunc(value), 0), largestCount)
  if (count !== value) flags.add('clamped')
  // (b) Some servers repeat at the end, as 0, what they reported at the start.
  if (count === 0 && before !== undefined && before > 0) {
    flags.add('zeroed_later')
    return before
  }
  return count
}

/**
 * Counts by billing class. (c) The split of cache writes by lifetime comes in message_start only; what the final total
 * says differently is put on the five-minute part, flagged `split_surplus` or `split_deficit`, and all of it when there is
 * no split, flagged `split_missing`.
 */
export function tokensOf(counts: Counts, flags: UsageFlags): Tokens {
  const output = counts.output ?? 0
  const thinking = Math.min(counts.thinking ?? 0, output)
  const hasSplit = counts.cacheWrite5m !== undefined || counts.cacheWrite1h !== undefined
  const reported5m = counts.cacheWrite5m ?? 0
  const reported1h = counts.cacheWrite1h ?? 0
  const total = counts.cacheWrite ?? reported5m + reported1h
  const cacheWrite1h = Math.min(reported1h, total)
  if (!hasSplit && total > 0) flags.add('split_missing')
  else if (hasSplit && total > reported5m + reported1h) flags.add('split_surplus')
  else if (hasSplit && total < reported5m + reported1h) flags.add('split_deficit')
  return {
    input: counts.input ?? 0,
    output,
    cacheWrite5m: total - cacheWrite1h,
    cacheWrite1h,
    cacheRead: counts.cacheRead ?? 0,
    thinking,
    webSearches: counts.webSearches ?? 0,
  }
}

export function addTokens(a: Tokens, b: Tokens): Tokens {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m,
    cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
    cacheRead: a.cacheRead + b.cacheRead,
    thinking: a.thinking + b.thinking,
    webSearches: a.webSearches + b.webSearches,
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : noFields
}

const noFields: Record<string, unknown> = Object.freeze({})
