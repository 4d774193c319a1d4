import type { Stream } from '../store/stream.ts'
import type { Floor } from './audience.ts'
import { filterKey, type LiveBatch, type LiveEvent, type LiveFilter, passes } from './live-events.ts'
import { type Ring, readSequence } from './ring.ts'

/** Events in one message. */
const mostAtOnce = 200
/** Batches read from the stream at once. */
const pageBatches = 20

/** Reads events for one subscriber: null when there are none now. */
export type Read = () => LiveEvent[] | null | Promise<LiveEvent[] | null>

/** Makes readers over one ring. Those that stand at the same place and see the same get the same array. */
export function createReaders(parts: { ring: Ring; stream: Pick<Stream<LiveBatch>, 'isShared' | 'read'> }) {
  const { ring, stream } = parts
  let madeForHead = -1
  const made = new Map<string, { events: LiveEvent[] | null; next: number }>()

  /** From `from` on, what passes; progress that is overtaken is gone from the ring already. */
  function slice(from: number, filter: LiveFilter, name: string): { events: LiveEvent[] | null; next: number } {
    if (madeForHead !== ring.head()) {
      made.clear()
      madeForHead = ring.head()
    }
    const key = `${from}|${name}`
    const known = made.get(key)
    if (known) return known
    const events: LiveEvent[] = []
    let next = from
    for (; next < ring.head() && events.length < mostAtOnce; next++) {
      const event = ring.at(next)
      if (event && passes(filter, event)) events.push(event)
    }
    const result = { events: events.length === 0 ? null : events, next }
    made.set(key, result)
    return result
  }

  return {
    /** `after`: the sequence after which to begin; absent: from now on. Up to `floor` events are missing. */
    open(filter: LiveFilter, floor: Floor | null, after?: string): Read {
      const name = filterKey(filter)
      let cursor = ring.head()
      /** Where it stands in the stream while the ring does not reach back to it. */
      let behind: string | null = null
      let unknown = false
      if (after !== undefined) {
        const found = ring.after(after)
        if (found !== null) cursor = found
        else if (stream.isShared && readSequence(after)) behind = after
        else unknown = true
      }

      /** Events were not made between the last one that it knows and now. */
      let holed = after !== undefined && floor !== null && cursor <= floor.ordinal

      function readRing(): LiveEvent[] | null {
        const dropped = ring.oldest() - cursor
        if (unknown || holed || dropped > 0) {
          cursor = Math.max(cursor, holed ? floor!.ordinal : 0, ring.oldest())
          const missed = holed ? floor!.missed : Math.max(0, dropped)
          holed = false
          const gap = { sequence: ring.sequenceBefore(cursor), gap: { dropped: missed } }
          unknown = false
          return [gap]
        }
        const { events, next } = slice(cursor, filter, name)
        cursor = next
        return events
      }

      async function readStream(from: string): Promise<LiveEvent[] | null> {
        for (let at = from; ; ) {
          const place = readSequence(at)
          const page = place && (await stream.read(place.batchId, pageBatches))
          const found = ring.after(at)
          if (found !== null || !page) {
            behind = null
            cursor = found ?? ring.head()
            unknown = found === null
            return readRing()
          }
          // The first batch of the page is the one in which it stands.
          const all = page.flatMap(({ id, batch }, index) =>
            eventsOf(id, batch).slice(index === 0 ? place.index + 1 : 0),
          )
          const chunk = all.slice(0, mostAtOnce)
          const last = page.at(-1)
          // At the end of the stream: the ring has not heard of it yet.
          if (chunk.length === 0 && page.length < 2) return null
          at = chunk.at(-1)?.sequence ?? `${last?.id}.0`
          behind = at
          const events = chunk.filter((event) => passes(filter, event))
          if (events.length > 0) return events
        }
      }

      return () => (behind === null ? readRing() : readStream(behind))
    },
  }
}

/** A batch's events as they stand in the ring: first what its process lost, then its records. */
function eventsOf(batchId: string, batch: LiveBatch): LiveEvent[] {
  return entriesOf(batch).map((record, index) => ({ sequence: `${batchId}.${index}`, ...record }))
}

export function entriesOf(batch: LiveBatch) {
  return batch.lost > 0 ? [{ gap: { dropped: batch.lost } }, ...batch.records] : batch.records
}
