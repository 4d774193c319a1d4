import type { Stream } from '../store/stream.ts'
import { type LiveBatch, type LiveEvent, type LiveFilter, passes } from './live-events.ts'
import { type Ring, readSequence } from './ring.ts'

/** Events in one message. */
const maxEvents = 200
/** Batches read from the stream at once. */
const pageBatches = 20

/** Reads events for one subscriber: null when there are none now. */
export type ReadEvents = () => LiveEvent[] | null | Promise<LiveEvent[] | null>

/**
 * A cursor into the ring, and into the stream while the ring does not reach back to it. Nothing is queued for a subscriber:
 * one that reads too slowly finds the ring's oldest event past its cursor, and gets a gap first.
 */
export function createEventReader(
  parts: { ring: Ring; stream: Pick<Stream<LiveBatch>, 'isShared' | 'read'> },
  filter: LiveFilter,
  /** The sequence after which to begin; absent: from now on. */
  after?: string,
): ReadEvents {
  const { ring, stream } = parts
  let cursor = ring.head()
  /** The sequence read last in the stream; null when reading from the ring. */
  let streamCursor: string | null = null
  /** `after` is nowhere: events were missed, nobody knows how many. */
  let isUnknown = false
  if (after !== undefined) {
    const found = ring.after(after)
    if (found !== null) cursor = found
    else if (stream.isShared && readSequence(after)) streamCursor = after
    else isUnknown = true
  }

  function readRing(): LiveEvent[] | null {
    const dropped = Math.max(0, ring.oldest() - cursor)
    if (isUnknown || dropped > 0) {
      isUnknown = false
      cursor += dropped
      return [{ sequence: ring.sequenceBefore(cursor), gap: { dropped } }]
    }
    const events: LiveEvent[] = []
    for (; cursor < ring.head() && events.length < maxEvents; cursor++) {
      const event = ring.at(cursor)
      if (event && passes(filter, event)) events.push(event)
    }
    return events.length === 0 ? null : events
  }

  async function readStream(from: string): Promise<LiveEvent[] | null> {
    for (let at = from; ; ) {
      const position = readSequence(at)
      const page = position && (await stream.read(position.batchId, pageBatches))
      const found = ring.after(at)
      if (found !== null || !page) {
        streamCursor = null
        cursor = found ?? ring.head()
        isUnknown = found === null
        return readRing()
      }
      // The first batch of the page is the one that holds the cursor.
      const all = page.flatMap(({ id, batch }, index) =>
        eventsOf(id, batch).slice(index === 0 ? position.index + 1 : 0),
      )
      const chunk = all.slice(0, maxEvents)
      const last = page.at(-1)
      // At the end of the stream; the ring has not received it yet.
      if (chunk.length === 0 && page.length < 2) return null
      at = chunk.at(-1)?.sequence ?? `${last?.id}.0`
      streamCursor = at
      const events = chunk.filter((event) => passes(filter, event))
      if (events.length > 0) return events
    }
  }

  return () => (streamCursor === null ? readRing() : readStream(streamCursor))
}

function eventsOf(batchId: string, batch: LiveBatch): LiveEvent[] {
  return entriesOf(batch).map((record, index) => ({ sequence: `${batchId}.${index}`, ...record }))
}

/** A batch's events in their order: first a gap for what its process lost, then its records. */
export function entriesOf(batch: LiveBatch) {
  return batch.lost > 0 ? [{ gap: { dropped: batch.lost } }, ...batch.records] : batch.records
}
