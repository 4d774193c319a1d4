import { type Gap, type LiveBatch, type LiveEvent, type LiveFilter, type LiveMessage, passes } from './live-events.ts'
import { type Ring, readCursor } from './ring.ts'

/** Events in one message. */
const maxEvents = 200
/** Batches read from the stream at once. */
const pageBatches = 20
/** After so many events that the filter left out, an empty message moves the subscriber's cursor on: the ring forgets old ones. */
const maxQuiet = 4_096

/** Reads the next message for one subscriber: null when there is none now. The first comes at once, also without events. */
export type ReadEvents = () => LiveMessage | null | Promise<LiveMessage | null>

/**
 * A place in the ring, and in the stream while the ring does not reach back to it. Nothing is queued for a subscriber:
 * one that reads too slowly finds the ring's oldest event past its place, and gets a gap first.
 */
export function createEventReader(
  parts: { ring: Ring; stream: { isShared: boolean; read: ReadBatches } },
  filter: LiveFilter,
  /** The cursor after which to begin; absent: from now on. */
  after?: string,
): ReadEvents {
  const { ring, stream } = parts
  let ordinal = ring.head()
  /** Where the subscriber would resume now; null before the first message of one that begins now. */
  let cursor = after ?? null
  /** True while the events after `cursor` are read from the stream. */
  let isInStream = false
  /** `after` is nowhere: events were missed, nobody knows how many. */
  let isUnknown = false
  let isFirst = true
  let sentOrdinal = ordinal
  if (after !== undefined) {
    const found = ring.after(after)
    if (found !== null) ordinal = found
    else if (stream.isShared && readCursor(after)) isInStream = true
    else isUnknown = true
  }

  function send(message: LiveMessage): LiveMessage {
    isFirst = false
    sentOrdinal = ordinal
    cursor = message.cursor
    return message
  }

  function readRing(): LiveMessage | null {
    const from = cursor ?? ring.cursorBefore(ordinal)
    const dropped = Math.max(0, ring.oldest() - ordinal)
    ordinal += dropped
    let gap: Gap | null = null
    if (isUnknown || dropped > 0) gap = { from, to: ring.cursorBefore(ordinal), dropped: isUnknown ? null : dropped }
    isUnknown = false
    const events: LiveEvent[] = []
    for (; ordinal < ring.head() && events.length < maxEvents; ordinal++) {
      const event = ring.at(ordinal)
      if (event?.lost) {
        if (events.length > 0) break
        gap = addLost(gap, from, ring.cursorBefore(ordinal + 1), event.lost.dropped)
      } else if (event && passes(filter, event)) events.push(event)
    }
    if (events.length === 0 && gap === null && !isFirst && ordinal - sentOrdinal < maxQuiet) return null
    return send({ cursor: ring.cursorBefore(ordinal), gap, events })
  }

  async function readStream(from: string): Promise<LiveMessage | null> {
    for (let at = from; ; ) {
      const position = readCursor(at)
      const page = position && (await stream.read(position.batchId, pageBatches))
      const found = ring.after(at)
      if (found !== null || !page) {
        isInStream = false
        ordinal = found ?? ring.head()
        isUnknown = found === null
        return readRing()
      }
      // The first batch of the page is the one that holds the cursor.
      const all = page.flatMap(({ id, batch }, index) =>
        entriesOf(batch)
          .map((event, number) => ({ event, cursor: `${id}.${number}` }))
          .slice(index === 0 ? position.index + 1 : 0),
      )
      // At the end of the stream; the ring has not received it yet.
      if (all.length === 0 && page.length < 2) return isFirst ? send({ cursor: at, gap: null, events: [] }) : null
      if (all.length === 0) at = `${page.at(-1)?.id}.0`
      let gap: Gap | null = null
      const events: LiveEvent[] = []
      for (const entry of all.slice(0, maxEvents)) {
        if (entry.event.lost) {
          if (events.length > 0) break
          gap = addLost(gap, from, entry.cursor, entry.event.lost.dropped)
        } else if (passes(filter, entry.event)) events.push(entry.event)
        at = entry.cursor
      }
      cursor = at
      if (isFirst || gap || events.length > 0) return send({ cursor: at, gap, events })
    }
  }

  return () => (isInStream && cursor !== null ? readStream(cursor) : readRing())
}

type ReadBatches = (from: string, count: number) => Promise<{ id: string; batch: LiveBatch }[] | null>

function addLost(gap: Gap | null, from: string, to: string, dropped: number | null): Gap {
  const before = gap === null ? 0 : gap.dropped
  return { from: gap?.from ?? from, to, dropped: before === null || dropped === null ? null : before + dropped }
}

/** A batch's events in their order: first what its process lost, then its records. */
export function entriesOf(batch: LiveBatch): LiveEvent[] {
  return batch.lost > 0 ? [{ lost: { dropped: batch.lost } }, ...batch.records] : batch.records
}
