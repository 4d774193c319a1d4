// Over 300 lines: the merge rule of protocol.md §1.5 in one place.
import { findMembers, type Members, parseSpan, type Span } from '../../../json/members.ts'
import { noTokens, type Reading, type Tokens, type UsageSource } from '../../../money/reading.ts'
import { hasSecret, withoutSecret } from '../../quoted-secret.ts'
import { addTokens, type Counts, noCounts, numberOf, readCounts, tokensOf } from './counts.ts'
import { estimateTokens, type Passed, passedIn } from './passed-text.ts'
import { UsageFlags } from './usage-flags.ts'

/**
 * Reads what an Anthropic response says it used, by the merge rule of protocol.md §1.5 (its letters stand in the code).
 * Nothing here throws: what cannot be read is flagged, for a bad usage must never end a good stream (faults 27, 29).
 */
export interface UsageReader {
  /** The data of `message_start`, as text. */
  start(json: string): void
  /** The data of a `message_delta`, as text. */
  delta(json: string): void
  /** So many more characters of text, thinking or partial tool input were forwarded; `wide` of them are Chinese, Japanese or Korean. */
  text(chars: number, wide?: number): void
  /** Something of the stream is no JSON. */
  unreadable(): void
  /** `message_stop` came. */
  stop(): void
  /** What is known now; may be asked while the response still runs. */
  reading(): Reading
  /** The same for a look in between, without the usages as they came: writing them out is what costs. */
  interimReading(): Reading
}

type Fields = Record<string, unknown>

/** Usage objects longer than this as text are not kept in the ledger: MySQL's column takes 65 535 bytes. */
const maxRawChars = 16_384

/** Names of models and the like from an upstream, cut to what a column takes. */
const maxNameChars = 120

interface Gathered {
  model: string
  stopReason: string
  speed: 'standard' | 'fast'
  geo: string
  serviceTier: string
  counts: Counts
  /** The last `iterations` that came. */
  iterations: readonly unknown[] | undefined
  flags: UsageFlags
}

/** For one streamed response. */
export const createUsageReader = (): UsageReader => new StreamUsage()

/** A class: there is one for each response. */
class StreamUsage implements UsageReader {
  private readonly gathered = nothingGathered()
  private startUsage: Fields | undefined = undefined
  private deltaUsage: Fields | undefined = undefined
  private hasOutput = false
  /** The end reported an output that is more than nothing. */
  private hasOutputCount = false
  private readonly passed: Passed = { chars: 0, wide: 0 }
  private startInput: number | undefined = undefined
  private startRead = 0
  private stopped = false

  /** (a) Start from message_start. */
  start(json: string): void {
    const message = fieldsOf(fieldsOf(parse(json))?.['message'])
    if (message === undefined) return this.unreadable()
    this.startUsage = gatherMessage(this.gathered, message) ?? this.startUsage
    this.startInput = this.gathered.counts.input
    this.startRead = this.gathered.counts.cacheRead ?? 0
  }

  /** (b) and (e) Counts are cumulative: each that is there replaces the one before; the last message_delta wins. */
  delta(json: string): void {
    const { gathered } = this
    const event = fieldsOf(parse(json))
    if (event === undefined) return this.unreadable()
    gathered.stopReason = nameOf(fieldsOf(event['delta'])?.['stop_reason']) || gathered.stopReason
    const usage = gatherUsage(gathered, event['usage'])
    if (usage === undefined) return
    this.deltaUsage = usage
    const output = numberOf(usage['output_tokens'])
    this.hasOutput ||= typeof output === 'number'
    this.hasOutputCount ||= typeof output === 'number' && output >= 1
    this.noteDoublePrompt()
  }

  text(more: number, wide = 0): void {
    this.passed.chars += more
    this.passed.wide += wide
  }

  unreadable(): void {
    this.gathered.flags.add('unreadable')
  }

  stop(): void {
    this.stopped = true
  }

  reading(): Reading {
    return this.read([this.startUsage, this.deltaUsage])
  }

  interimReading(): Reading {
    return this.read([])
  }

  /** (i) Some servers report the whole prompt at the start, and at the end nearly all of it once more as cache reads. */
  private noteDoublePrompt(): void {
    const { counts, flags } = this.gathered
    const { input, cacheRead = 0 } = counts
    if (input === undefined || input !== this.startInput || this.startRead > 0 || cacheRead === 0) return
    if (Math.abs(input - cacheRead) > input / 100) return
    counts.input = Math.max(0, input - cacheRead)
    flags.add('prompt_reported_twice')
  }

  private read(usages: readonly (Fields | undefined)[]): Reading {
    const { gathered, passed } = this
    const output = gathered.counts.output ?? 0
    if (this.knowsOutput()) return readingOf(gathered, this.source(), usages)
    // (g), (h) The input counts are real; what the message start says of the output is the least that it can be.
    const counts = {
      ...gathered.counts,
      output: passed.chars > 0 ? Math.max(output, estimateTokens(passed)) : 0,
      thinking: 0,
    }
    const flags = new UsageFlags(gathered.flags.list())
    if (this.stopped && passed.chars > 0 && !flags.has('unreadable')) flags.add('usage_missing')
    return readingOf({ ...gathered, counts, flags, iterations: undefined }, this.source(), usages)
  }

  /** (h) A zero says nothing where content has passed. */
  private knowsOutput(): boolean {
    return this.hasOutputCount || (this.hasOutput && this.passed.chars === 0)
  }

  private source(): UsageSource {
    if (this.gathered.flags.has('unreadable')) return 'partial'
    if (this.knowsOutput()) return this.stopped ? 'final' : 'partial'
    return this.startUsage || this.passed.chars > 0 ? 'estimated' : 'none'
  }
}

/** The members that matter of a whole JSON response. */
export const responseMembers = ['type', 'model', 'stop_reason', 'usage', 'content'] as const

/**
 * For one whole JSON response in its bytes; only the members that matter are parsed, without `secret`. An error has used
 * nothing.
 */
export function readUsageFromJson(
  bytes: Buffer,
  secret = '',
  members: Members = findMembers(bytes, responseMembers),
): Reading {
  const gathered = nothingGathered()
  if (!members.ok) {
    gathered.flags.add('unreadable')
    return readingOf(gathered, 'partial', [])
  }
  const isQuoted = hasSecret(bytes, secret)
  const said = ({ start, end }: Span): string => {
    const text = bytes.toString('utf8', start, end)
    return isQuoted ? withoutSecret(text, secret) : text
  }
  const [typeSpan, modelSpan, stopReasonSpan, usageSpan, contentSpan] = members.spans
  const scalar = (span: Span | undefined) => span && (isQuoted ? parse(said(span)) : parseSpan(bytes, span))
  if (scalar(typeSpan) === 'error') return readingOf(gathered, 'none', [])
  const raw = usageSpan === undefined ? '' : said(usageSpan)
  const usage = usageSpan && parse(raw)
  if (usage === undefined && usageSpan) gathered.flags.add('unreadable')
  const found = gatherMessage(gathered, { model: scalar(modelSpan), stop_reason: scalar(stopReasonSpan), usage })
  const hasOutput = typeof numberOf(found?.['output_tokens']) === 'number' && !gathered.flags.has('unreadable')
  if (!gathered.counts.output && contentSpan !== undefined && !gathered.flags.has('unreadable')) {
    const output = estimateTokens(passedIn(parseSpan(bytes, contentSpan)))
    if (output > 0) {
      gathered.counts.output = output
      gathered.flags.add('usage_missing')
      return readingOf(gathered, 'estimated', [found], found && usageSpan ? `[${raw}]` : '')
    }
  }
  const source = hasOutput ? 'final' : found || gathered.flags.has('unreadable') ? 'partial' : 'none'
  return readingOf(gathered, source, [found], found && usageSpan ? `[${raw}]` : '')
}

function nothingGathered(): Gathered {
  return {
    model: '',
    stopReason: '',
    speed: 'standard',
    geo: '',
    serviceTier: '',
    counts: noCounts(),
    iterations: undefined,
    flags: new UsageFlags(),
  }
}

/** (f) The model billed is the one the message names. Returns its usage, if it has any. */
function gatherMessage(into: Gathered, message: Fields): Fields | undefined {
  into.model = nameOf(message['model']) || into.model
  into.stopReason = nameOf(message['stop_reason']) || into.stopReason
  return gatherUsage(into, message['usage'])
}

/** Lets each field that is there replace the one gathered before; null and absent leave it. */
function gatherUsage(into: Gathered, value: unknown): Fields | undefined {
  if (value === undefined || value === null) return undefined
  const usage = fieldsOf(value)
  if (usage === undefined) {
    into.flags.add('unreadable')
    return undefined
  }
  readCounts(usage, into.flags, into.counts)
  const { speed, iterations } = usage
  if (typeof speed === 'string') into.speed = speed === 'fast' ? 'fast' : 'standard'
  into.geo = nameOf(usage['inference_geo']) || into.geo
  into.serviceTier = nameOf(usage['service_tier']) || into.serviceTier
  if (Array.isArray(iterations)) into.iterations = iterations
  else if (iterations !== undefined && iterations !== null) into.flags.add('iteration_unknown')
  const credit = fieldsOf(fieldsOf(usage['fallback_credit'])?.['status'])
  if (credit?.['type'] === 'redeemed') into.flags.add('credit')
  return usage
}

/** `text`: the usages as JSON text, where it is at hand. */
function readingOf(
  from: Gathered,
  source: UsageSource,
  usages: readonly (Fields | undefined)[],
  text?: string,
): Reading {
  const flags = new UsageFlags(from.flags.list())
  const { tokens, extras } = from.iterations?.length
    ? splitIterations(from.iterations, from, flags)
    : { tokens: tokensOf(from.counts, flags), extras: [] }
  let raw = text ?? textOf(usages)
  if (raw.length > maxRawChars) {
    raw = ''
    flags.add('raw_dropped')
  }
  const { model, speed, geo, serviceTier, stopReason } = from
  return { model, tokens, extras, source, speed, geo, serviceTier, stopReason, flags: flags.list(), raw }
}

function textOf(usages: readonly (Fields | undefined)[]): string {
  const came = usages.filter((usage) => usage !== undefined)
  return came.length > 0 ? JSON.stringify(came) : ''
}

/**
 * Iterations of the message itself replace the top level, which is their sum; compaction and advisor are not in it and
 * stand beside it. An iteration under another model (a declined hop, the fallback) is billed under that model.
 */
function splitIterations(iterations: readonly unknown[], from: Gathered, flags: UsageFlags) {
  const ofMessage = { any: false, tokens: noTokens, flags: new UsageFlags() }
  const extras = new Map<string, Tokens>()
  for (const value of iterations) {
    const entry = fieldsOf(value) ?? {}
    const { type } = entry
    const isMessage = type === 'message' || type === 'fallback_message'
    if (!isMessage && type !== 'compaction' && type !== 'advisor_message') flags.add('iteration_unknown')
    const model = nameOf(entry['model']) || from.model
    const isMain = isMessage && model === from.model
    const entryFlags = isMain ? ofMessage.flags : flags
    const tokens = tokensOf(readCounts(entry, entryFlags, noCounts()), entryFlags)
    if (isMessage) ofMessage.any = true
    if (isMain) ofMessage.tokens = addTokens(ofMessage.tokens, tokens)
    else extras.set(model, addTokens(extras.get(model) ?? noTokens, tokens))
  }

  const topFlags = new UsageFlags()
  const top = tokensOf(from.counts, topFlags)
  let tokens = top
  if (ofMessage.any) {
    // Searches and thinking are reported for the whole message only, and so may be the split of its cache writes.
    const thinking = Math.min(top.thinking, ofMessage.tokens.output)
    tokens = { ...ofMessage.tokens, thinking, webSearches: top.webSearches }
    if (cacheWrites(tokens) === cacheWrites(top) && ofMessage.flags.delete('split_missing')) {
      tokens = { ...tokens, cacheWrite5m: top.cacheWrite5m, cacheWrite1h: top.cacheWrite1h }
    } else topFlags.clear()
  }
  for (const flag of ofMessage.flags.list()) flags.add(flag)
  for (const flag of topFlags.list()) flags.add(flag)
  return { tokens, extras: [...extras].map(([model, tokens]) => ({ model, tokens })) }
}

function cacheWrites(tokens: Tokens): number {
  return tokens.cacheWrite5m + tokens.cacheWrite1h
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, maxNameChars) : ''
}
