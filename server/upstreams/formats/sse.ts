/**
 * Cuts a stream of server-sent events at event boundaries, so that a relay can forward the very bytes it got and still
 * stop, or put something of its own in, only between events. Any chunking, LF, CRLF or CR, comments, byte order mark
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 */

const lf = 0x0a
const cr = 0x0d
const colon = 0x3a

/** Hears of every event with at least one field, before its bytes are given out. Must not throw. */
export interface SseListener {
  /** One whole event is `bytes[start, end)`, line ends included. `carriage`: there may be carriage returns in it. */
  event(bytes: Buffer, start: number, end: number, carriage: boolean): void
  /** An event too large to hold begins to flow; `head` is what was held of it. There will be no `event` for it. */
  large(head: Buffer, carriage: boolean): void
  /** So many more bytes of the flowing event. */
  more(byteLength: number): void
}

export interface SseScanner {
  /**
   * Takes the next chunk and returns the bytes that may go out: all whole events now complete, comment lines between
   * events, and what flows. The chunk is not copied, except for an unfinished event at its end. Joined, the results of all
   * calls and `rest()` are the input.
   */
  push(chunk: Buffer): Buffer[]
  /** Bytes held of an unfinished event. */
  readonly heldBytes: number
  /** An event larger than may be held is on its way out; until its end a break tears it, and nothing may be put in. */
  readonly flowing: boolean
  /** Bytes of the unfinished event so far, held or already out; what a limit on the size of one event is checked against. */
  readonly eventBytes: number
  /** What is left at the end of the input: the torn event, which must not go out. Empty after a clean end. */
  rest(): Buffer
  /**
   * At the end of the input: when the last event lacks only its blank line, tells the listener and returns its bytes
   * with that blank line, without which a client drops it; otherwise [] and `rest()` is as it was.
   */
  end(): Buffer[]
}

/** `maxHeldBytes`: an unfinished event larger than this flows instead of being held; 1 MiB by default. */
export function createSseScanner(listener: SseListener, limits: { maxHeldBytes?: number } = {}): SseScanner {
  return new Scanner(listener, limits.maxHeldBytes ?? 1_048_576)
}

/**
 * A class: there is one for each response. Getters of an object literal would be worse than slow: V8 makes a map for each such
 * object, in old memory, and with it the whole request outlives its garbage collection.
 */
class Scanner implements SseScanner {
  heldBytes = 0
  flowing = false
  private readonly listener: SseListener
  private readonly maxHeldBytes: number
  private held: Buffer | undefined = undefined
  private heldCarriage = false
  private flowedBytes = 0
  /** The line at the end of the input so far has bytes. */
  private lineOpen = false
  /** The unfinished event has a line that is no comment. */
  private hasField = false
  /** The input so far ends with a carriage return, to which a line feed would belong. */
  private afterCr = false

  constructor(listener: SseListener, maxHeldBytes: number) {
    this.listener = listener
    this.maxHeldBytes = maxHeldBytes
  }

  get eventBytes(): number {
    return this.flowing ? this.flowedBytes : this.heldBytes
  }

  push(chunk: Buffer): Buffer[] {
    const { length } = chunk
    if (length === 0) return []
    const out: Buffer[] = []
    const carriage = chunk.indexOf(cr) >= 0
    /** From where on the chunk's own bytes go out; what lies before went out behind the bytes held. */
    let outStart = 0
    let eventStart = 0
    let at = 0
    if (this.afterCr && chunk[0] === lf) {
      at = 1
      // The event it belongs to may be out already: then it follows on its own.
      if (this.heldBytes === 0 && !this.flowing) eventStart = 1
    }
    this.afterCr = false
    let { lineOpen, hasField } = this

    while (at < length) {
      if (!lineOpen && !hasField && chunk[at] !== colon && chunk[at] !== lf && chunk[at] !== cr) hasField = true
      const lineEnd = carriage ? indexOfLineEnd(chunk, at) : chunk[at] === lf ? at : chunk.indexOf(lf, at)
      if (lineEnd < 0) {
        lineOpen = true
        break
      }
      const blank = lineEnd === at && !lineOpen
      lineOpen = false
      at = lineEnd + 1
      if (chunk[lineEnd] === cr) {
        if (at === length) this.afterCr = true
        else if (chunk[at] === lf) at++
      }
      if (!blank && hasField) continue

      // An event ends here, or a comment or an empty line between events.
      if (this.flowing) {
        this.flowing = false
        this.listener.more(at - eventStart)
        this.flowedBytes = 0
      } else if (this.heldBytes > 0) {
        this.hold(chunk, eventStart, at)
        if (hasField) this.listener.event(this.held!, 0, this.heldBytes, carriage || this.heldCarriage)
        out.push(this.release())
        outStart = at
      } else if (hasField) this.listener.event(chunk, eventStart, at, carriage)
      hasField = false
      eventStart = at
    }
    this.lineOpen = lineOpen
    this.hasField = hasField

    if (eventStart < length) {
      if (!this.flowing) {
        this.hold(chunk, eventStart, length)
        this.heldCarriage ||= carriage
        if (this.heldBytes > this.maxHeldBytes) {
          if (eventStart > outStart) out.push(chunk.subarray(outStart, eventStart))
          outStart = length
          eventStart = length
          this.flowing = true
          this.flowedBytes = this.heldBytes
          this.listener.large(this.rest(), this.heldCarriage)
          out.push(this.release())
        }
      } else {
        this.listener.more(length - eventStart)
        this.flowedBytes += length - eventStart
        eventStart = length
      }
    }
    if (eventStart <= outStart) return out
    const last = outStart === 0 && eventStart === length ? chunk : chunk.subarray(outStart, eventStart)
    // Nearly always the only one: a list made of it is smaller than one that grows.
    if (out.length === 0) return [last]
    out.push(last)
    return out
  }

  rest(): Buffer {
    return this.held === undefined ? Buffer.alloc(0) : this.held.subarray(0, this.heldBytes)
  }

  end(): Buffer[] {
    if (this.heldBytes === 0 || !this.hasField || !endsWithWholeData(this.rest())) return []
    const missing = Buffer.from(this.held![this.heldBytes - 1] === lf ? '\n' : '\n\n')
    this.hold(missing, 0, missing.length)
    this.listener.event(this.held!, 0, this.heldBytes, true)
    this.hasField = false
    this.lineOpen = false
    this.afterCr = false
    return [this.release()]
  }

  private hold(chunk: Buffer, start: number, end: number): void {
    const needed = this.heldBytes + end - start
    if (this.held === undefined || this.held.length < needed) {
      const larger = Buffer.allocUnsafe(Math.max(1_024, needed * 2))
      this.held?.copy(larger, 0, 0, this.heldBytes)
      this.held = larger
    }
    chunk.copy(this.held, this.heldBytes, start, end)
    this.heldBytes = needed
  }

  /** The bytes held, given away: they are never written to again. */
  private release(): Buffer {
    const bytes = this.rest()
    this.held = undefined
    this.heldBytes = 0
    this.heldCarriage = false
    return bytes
  }
}

function indexOfLineEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === lf || byte === cr) return at
  }
  return -1
}

/** Whether no line was cut, and the data is whole JSON. Once a stream at most, so that parsing is fine. */
function endsWithWholeData(bytes: Buffer): boolean {
  const lines = bytes.toString('utf8').split(/\r\n|[\r\n]/)
  // A line that was cut may be the name of the event.
  if (lines.at(-1) !== '' && !lines.at(-1)!.startsWith('data')) return false
  const data = lines.filter((line) => /^data(:|$)/.test(line)).map((line) => line.slice('data:'.length))
  try {
    JSON.parse(data.join('\n'))
    return true
  } catch {
    return false
  }
}
