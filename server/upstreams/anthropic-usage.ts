import { findMembers, type Span } from '../json-members.ts'
import { noTokens, type Reading, type Tokens, type UsageSource } from '../usage/records.ts'
import { addTokens, type Counts, readCounts, tokensOf } from './anthropic-counts.ts'
import { withoutSecret } from './quoted-secret.ts'

/**
 * Reads what an Anthropic answer says it used, by the merge rule of protocol.md §1.5 (its letters stand in the code).
 * Nothing here throws: what cannot be read is flagged, for a bad usage must never end a good stream (faults 27, 29).
 */
export interface UsageReader {
  /** The data of `message_start`, as text. */
  start(json: string): void
  /** The data of a `message_delta`, as text. */
  delta(json: string): void
  /** So many more characters of text, thinking or partial tool input were forwarded. */
  text(chars: number): void
  /** Something of the stream is no JSON. */
  unreadable(): void
  /** `message_stop` came. */
  stop(): void
  /** What is known now; may be asked while the answer still runs. */
  reading(): Reading
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
  flags: Set<string>
}

/** For one streamed answer. */
export function createUsageReader(): UsageReader {
  const gathered = nothingGathered()
  const { flags } = gathered
  let startUsage: Fields | undefined
  let deltaUsage: Fields | undefined
  let outputTold = false
  let chars = 0
  let stopped = false

  function reading(): Reading {
    const usages = [startUsage, deltaUsage]
    if (outputTold) return readingOf(gathered, source(), usages)
    // (g) Without a final word the input counts are real and the output is estimated from what was forwarded.
    const counts = { ...gathered.counts, output: Math.ceil(chars / 4), thinking: 0 }
    return readingOf({ ...gathered, counts, iterations: undefined }, source(), usages)
  }

  function source(): UsageSource {
    if (flags.has('unreadable')) return 'partial'
    if (outputTold) return stopped ? 'final' : 'partial'
    return startUsage || chars > 0 ? 'estimated' : 'none'
  }

  return {
    // (a) Start from message_start.
    start(json) {
      const message = fieldsOf(fieldsOf(parse(json))?.['message'])
      if (message === undefined) return void flags.add('unreadable')
      startUsage = gatherMessage(gathered, message) ?? startUsage
    },
    // (b) and (e) Counts are cumulative: each that is there replaces the one before; the last message_delta wins.
    delta(json) {
      const event = fieldsOf(parse(json))
      if (event === undefined) return void flags.add('unreadable')
      gathered.stopReason = nameOf(fieldsOf(event['delta'])?.['stop_reason']) || gathered.stopReason
      const usage = gatherUsage(gathered, event['usage'])
      if (usage === undefined) return
      deltaUsage = usage
      outputTold ||= typeof usage['output_tokens'] === 'number'
    },
    text(more) {
      chars += more
    },
    unreadable() {
      flags.add('unreadable')
    },
    stop() {
      stopped = true
    },
    reading,
  }
}

/**
 * For one whole JSON answer in its bytes; only the members that matter are parsed, without `secret`. An error answer has
 * used nothing.
 */
export function readUsageFromJson(bytes: Buffer, secret = ''): Reading {
  const gathered = nothingGathered()
  const members = findMembers(bytes, ['type', 'model', 'stop_reason', 'usage'])
  if (!members.ok) {
    gathered.flags.add('unreadable')
    return readingOf(gathered, 'partial', [])
  }
  const said = ({ start, end }: Span): string => withoutSecret(bytes.toString('utf8', start, end), secret)
  const [type, model, stopReason, usage] = members.spans.map((span) => span && parse(said(span)))
  if (type === 'error') return readingOf(gathered, 'none', [])
  if (usage === undefined && members.spans[3]) gathered.flags.add('unreadable')
  const found = gatherMessage(gathered, { model, stop_reason: stopReason, usage })
  const told = typeof found?.['output_tokens'] === 'number' && !gathered.flags.has('unreadable')
  const source = told ? 'final' : found || gathered.flags.has('unreadable') ? 'partial' : 'none'
  const span = members.spans[3]
  return readingOf(gathered, source, [found], found && span ? `[${said(span)}]` : '')
}

function nothingGathered(): Gathered {
  return {
    model: '',
    stopReason: '',
    speed: 'standard',
    geo: '',
    serviceTier: '',
    counts: {},
    iterations: undefined,
    flags: new Set(),
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
  if (usage === undefined) return void into.flags.add('unreadable')
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
  const flags = new Set(from.flags)
  const { tokens, extras } = from.iterations?.length
    ? splitIterations(from.iterations, from, flags)
    : { tokens: tokensOf(from.counts, flags), extras: [] }
  let raw = text ?? textOf(usages)
  if (raw.length > maxRawChars) {
    raw = ''
    flags.add('raw_dropped')
  }
  const { model, speed, geo, serviceTier, stopReason } = from
  return { model, tokens, extras, source, speed, geo, serviceTier, stopReason, flags: [...flags], raw }
}

function textOf(usages: readonly (Fields | undefined)[]): string {
  const came = usages.filter((usage) => usage !== undefined)
  return came.length > 0 ? JSON.stringify(came) : ''
}

/**
 * Iterations of the message itself replace the top level, which is their sum; compaction and advisor are not in it and
 * stand beside it. An iteration under another model (a declined hop, the fallback) is billed under that model.
 */
function splitIterations(iterations: readonly unknown[], from: Gathered, flags: Set<string>) {
  const ofMessage = { any: false, tokens: noTokens, flags: new Set<string>() }
  const extras = new Map<string, Tokens>()
  for (const value of iterations) {
    const entry = fieldsOf(value) ?? {}
    const { type } = entry
    const isMessage = type === 'message' || type === 'fallback_message'
    if (!isMessage && type !== 'compaction' && type !== 'advisor_message') flags.add('iteration_unknown')
    const model = nameOf(entry['model']) || from.model
    const isMain = isMessage && model === from.model
    const entryFlags = isMain ? ofMessage.flags : flags
    const tokens = tokensOf(readCounts(entry, entryFlags, {}), entryFlags)
    if (isMessage) ofMessage.any = true
    if (isMain) ofMessage.tokens = addTokens(ofMessage.tokens, tokens)
    else extras.set(model, addTokens(extras.get(model) ?? noTokens, tokens))
  }

  const topFlags = new Set<string>()
  const top = tokensOf(from.counts, topFlags)
  let tokens = top
  if (ofMessage.any) {
    // Searches and thinking are told of the whole message only, and so may be the split of its cache writes.
    const thinking = Math.min(top.thinking, ofMessage.tokens.output)
    tokens = { ...ofMessage.tokens, thinking, webSearches: top.webSearches }
    if (cacheWrites(tokens) === cacheWrites(top) && ofMessage.flags.delete('split_missing')) {
      tokens = { ...tokens, cacheWrite5m: top.cacheWrite5m, cacheWrite1h: top.cacheWrite1h }
    } else topFlags.clear()
  }
  for (const flag of ofMessage.flags) flags.add(flag)
  for (const flag of topFlags) flags.add(flag)
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
