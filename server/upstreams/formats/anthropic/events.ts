import { findMembers, parseSpan, type Span } from '../../../json/members.ts'
import { withoutSecret } from '../../quoted-secret.ts'
import type { SseListener } from '../sse.ts'

/**
 * What a meter needs of an Anthropic stream (protocol.md §1.4). Only the events that carry usage or end the stream reach it as text;
 * the many deltas are counted in their bytes. `ping`, `content_block_stop` and unknown events are skipped.
 */
export interface AnthropicSink {
  /** `json` is the data of the event as it came, not checked; '' when the event was too large to hold. Must not throw. */
  messageStart(json: string): void
  contentStart(): void
  /**
   * Characters (UTF-16 units) of text, thinking or partial tool input in one delta; other deltas give 0. Exact, but
   * of an event too large to hold: there it counts bytes. `wide`: how many of them are Chinese, Japanese or Korean.
   */
  delta(chars: number, wide: number): void
  messageDelta(json: string): void
  messageStop(): void
  /** The data of an event is no JSON, as far as it was looked at; it passes all the same. */
  unreadable(): void
  errorEvent(json: string): void
  /** An event of this kind has no name in the stream. */
  nameless(): void
}

const lf = 0x0a
const cr = 0x0d
const quote = 0x22
const colon = 0x3a
const space = 0x20
const backslash = 0x5c

const kinds = [
  'content_block_delta',
  'content_block_start',
  'message_start',
  'message_delta',
  'message_stop',
  'error',
  'ping',
  'content_block_stop',
] as const
type Kind = (typeof kinds)[number]
const kindNames = kinds.map((kind) => ({ kind, bytes: Buffer.from(kind) }))
const eventField = Buffer.from('event')
const dataField = Buffer.from('data')
const nothing = Buffer.alloc(0)

/** Turns whole events into calls of `sink`. The event's name decides, or `type` in its data when the name says nothing. What is kept of them is kept without `secret`. */
export const listenToAnthropic = (sink: AnthropicSink, secret = ''): SseListener => new Listener(sink, secret)

/** A class: there is one for each response. */
class Listener implements SseListener {
  private readonly sink: AnthropicSink
  private readonly secret: string
  private readonly fields: Fields = { nameStart: 0, nameEnd: 0, dataStart: 0, dataEnd: 0, dataLines: 0 }
  private readonly text: TextCounter
  /** What stood before the data of the last delta: nearly every event begins with the same bytes. */
  private deltaHead: Buffer = nothing
  private flowingDelta = false

  constructor(sink: AnthropicSink, secret: string) {
    this.sink = sink
    this.secret = secret
    this.text = new TextCounter(sink)
  }

  event(bytes: Buffer, start: number, end: number, carriage: boolean): void {
    const { sink, text, deltaHead, fields } = this
    if (deltaHead.length > 0 && isAt(bytes, start, end, deltaHead)) {
      const dataStart = start + deltaHead.length
      const dataEnd = endOfLine(bytes, dataStart, end, carriage)
      if (isEndOfEvent(bytes, dataEnd, end)) {
        sink.delta(text.count(bytes, dataStart, dataEnd), text.wide)
        return
      }
    }
    readFields(bytes, start, end, carriage, fields)
    if (fields.dataLines === 0) return
    const { dataStart, dataEnd } = fields
    let kind = kindAt(bytes, fields.nameStart, fields.nameEnd)
    if (kind === 'content_block_delta' && fields.dataLines === 1) {
      // The name has to stand in the head: other events could begin with the same bytes.
      if (fields.nameStart < dataStart) this.deltaHead = Buffer.from(bytes.subarray(start, dataStart))
      sink.delta(text.count(bytes, dataStart, dataEnd), text.wide)
      return
    }
    const data = fields.dataLines === 1 ? bytes.subarray(dataStart, dataEnd) : joinData(bytes, start, end)
    if (kind === undefined) {
      kind = typeOf(data)
      // By the standard an event without a name is a `message`.
      if (kind !== undefined && /^(message)?$/.test(bytes.toString('latin1', fields.nameStart, fields.nameEnd)))
        sink.nameless()
    }
    if (kind === 'content_block_delta') return sink.delta(text.count(data, 0, data.length), text.wide)
    if (kind && !findMembers(data, []).ok) sink.unreadable()
    this.dispatch(kind, data)
  }

  large(head: Buffer, carriage: boolean): void {
    const { fields } = this
    readFields(head, 0, head.length, carriage, fields)
    const kind = kindAt(head, fields.nameStart, fields.nameEnd) ?? typeWithin(head, fields.dataStart)
    this.flowingDelta = kind === 'content_block_delta'
    if (this.flowingDelta) this.sink.delta(head.length, 0)
    else this.dispatch(kind, nothing)
  }

  more(byteLength: number): void {
    if (this.flowingDelta) this.sink.delta(byteLength, 0)
  }

  private dispatch(kind: Kind | undefined, data: Buffer): void {
    const { sink } = this
    if (kind === 'message_start') sink.messageStart(this.kept(data))
    else if (kind === 'message_delta') sink.messageDelta(this.kept(data))
    else if (kind === 'content_block_start') sink.contentStart()
    else if (kind === 'message_stop') sink.messageStop()
    else if (kind === 'error') sink.errorEvent(this.kept(data))
  }

  private kept(data: Buffer): string {
    return withoutSecret(data.toString('utf8'), this.secret)
  }
}

interface Fields {
  nameStart: number
  nameEnd: number
  /** Of the last data line. */
  dataStart: number
  dataEnd: number
  dataLines: number
}

/** The fields of one event, read as the standard says; the last `event` wins. Into `fields`, to make nothing per event. */
function readFields(bytes: Buffer, start: number, end: number, carriage: boolean, fields: Fields): void {
  fields.nameStart = fields.nameEnd = fields.dataStart = fields.dataEnd = fields.dataLines = 0
  // A byte order mark may stand before the first event.
  let at = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start
  while (at < end) {
    const lineEnd = endOfLine(bytes, at, end, carriage)
    const first = bytes[at]
    if (first === 0x65 && isField(bytes, at, lineEnd, eventField)) {
      fields.nameStart = valueStart(bytes, at + eventField.length, lineEnd)
      fields.nameEnd = lineEnd
    } else if (first === 0x64 && isField(bytes, at, lineEnd, dataField)) {
      fields.dataStart = valueStart(bytes, at + dataField.length, lineEnd)
      fields.dataEnd = lineEnd
      fields.dataLines++
    }
    at = lineEnd + 1
  }
}

function endOfLine(bytes: Buffer, from: number, end: number, carriage: boolean): number {
  if (!carriage) {
    if (bytes[from] === lf) return from
    const found = bytes.indexOf(lf, from)
    return found < 0 || found > end ? end : found
  }
  let at = from
  while (at < end && bytes[at] !== lf && bytes[at] !== cr) at++
  return at
}

/** Nothing but the ends of the last line and of the event. */
function isEndOfEvent(bytes: Buffer, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if (bytes[at] !== lf && bytes[at] !== cr) return false
  return true
}

function isField(bytes: Buffer, at: number, lineEnd: number, name: Buffer): boolean {
  const after = at + name.length
  return isAt(bytes, at, lineEnd, name) && (after === lineEnd || bytes[after] === colon)
}

function isAt(bytes: Buffer, at: number, end: number, wanted: Buffer): boolean {
  const { length } = wanted
  if (end - at < length) return false
  for (let index = 0; index < length; index++) if (bytes[at + index] !== wanted[index]) return false
  return true
}

/** Behind the colon and one space, if they are there. */
function valueStart(bytes: Buffer, afterName: number, lineEnd: number): number {
  if (afterName >= lineEnd) return lineEnd
  return bytes[afterName + 1] === space && afterName + 1 < lineEnd ? afterName + 2 : afterName + 1
}

function kindAt(bytes: Buffer, start: number, end: number): Kind | undefined {
  for (const { kind, bytes: name } of kindNames) {
    if (end - start === name.length && isAt(bytes, start, end, name)) return kind
  }
  return undefined
}

function kindOf(name: unknown): Kind | undefined {
  return kinds.find((kind) => kind === name)
}

function typeOf(data: Buffer): Kind | undefined {
  const members = findMembers(data, ['type'])
  const span = members.ok ? members.spans[0] : undefined
  return span && kindOf(parseSpan(data, span))
}

/** The same for data of which only the beginning is there: the first `type` near it. */
function typeWithin(head: Buffer, dataStart: number): Kind | undefined {
  return kindOf(/"type"\s*:\s*"(\w+)"/.exec(head.toString('latin1', dataStart, dataStart + 1_024))?.[1])
}

/** Data of several lines, joined by line feeds. */
function joinData(bytes: Buffer, start: number, end: number): Buffer {
  const lines = bytes.toString('utf8', start, end).split(/\r\n|[\r\n]/)
  const data = lines.filter((line) => /^data(:|$)/.test(line)).map((line) => line.replace(/^data:? ?/, ''))
  return Buffer.from(data.join('\n'))
}

/**
 * Counts the characters of the payload of deltas. Where it begins is looked for once and remembered: within a content
 * block it is the same in each event. The eight bytes before it (`"text":"`, `nking":"`, `_json":"`) tell whether it is still true.
 */
class TextCounter {
  /** Of the last count: characters that are Chinese, Japanese or Korean. */
  wide = 0
  private readonly sink: Pick<AnthropicSink, 'unreadable'>
  private offset = 0
  private before0 = 0
  private before1 = 0

  constructor(sink: Pick<AnthropicSink, 'unreadable'>) {
    this.sink = sink
  }

  count(bytes: Buffer, dataStart: number, dataEnd: number): number {
    this.wide = 0
    let at = dataStart + this.offset
    const known =
      this.offset > 8 &&
      at < dataEnd &&
      bytes.readInt32LE(at - 8) === this.before0 &&
      bytes.readInt32LE(at - 4) === this.before1
    if (!known) {
      const span = payloadSpan(bytes.subarray(dataStart, dataEnd))
      if (span === 'unreadable') this.sink.unreadable()
      if (span === undefined || span === 'unreadable') return 0
      this.offset = span.start + 1
      at = dataStart + this.offset
      this.before0 = bytes.readInt32LE(at - 8)
      this.before1 = bytes.readInt32LE(at - 4)
    }
    return this.countString(bytes, at, dataEnd)
  }

  /** UTF-16 units of the JSON string whose first byte after the quote is at `from`. */
  private countString(bytes: Buffer, from: number, end: number): number {
    let chars = 0
    let wide = 0
    let at = from
    while (at < end) {
      const byte = bytes[at]!
      if (byte === quote) break
      if (byte === backslash) {
        const isUnicode = bytes[at + 1] === 0x75
        if (isUnicode && isWideDigit(bytes[at + 2])) wide++
        at += isUnicode ? 6 : 2
        chars++
      } else {
        // Bytes that continue a character count nothing; those that begin one beyond U+FFFF count a surrogate pair.
        if (byte < 0x80 || byte >= 0xc0) {
          chars += byte >= 0xf0 ? 2 : 1
          if (byte >= 0xe3 && byte <= 0xed) wide++
        }
        at++
      }
    }
    this.wide = wide
    if (at >= end) this.sink.unreadable()
    return chars
  }
}

/** The first hexadecimal digit of U+3000 to U+CFFF. */
const isWideDigit = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x33 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x63))

/** Where the text, thinking or partial tool input of a delta stands in its data, quotes included. */
function payloadSpan(data: Buffer): Span | undefined | 'unreadable' {
  const members = findMembers(data, ['delta'])
  if (!members.ok) return 'unreadable'
  const [delta] = members.spans
  if (delta === undefined) return undefined
  const inner = findMembers(data.subarray(delta.start, delta.end), ['text', 'thinking', 'partial_json'])
  const span = inner.ok ? inner.spans.find((found) => found !== undefined) : undefined
  if (span === undefined || data[delta.start + span.start] !== quote) return undefined
  return { start: delta.start + span.start, end: delta.start + span.end }
}
