import type { LiveEvent } from './live-events.ts'

/** Where an event stands in the order of all processes: batch id (`ms-number`) and index in the batch. */
export interface Position {
  ms: number
  number: number
  index: number
}

interface Slot extends Position {
  /** Null once a later event of the same request replaced it. */
  event: LiveEvent | null
  bytes: number
}

export interface RingLimits {
  slots: number
  bytes: number
}

/** A minute at hundreds of events a second. */
const defaultRingLimits: RingLimits = { slots: 32_768, bytes: 16 * 1024 * 1024 }

/** The newest events of all processes in their order, by ordinals that only this process knows. */
export interface Ring {
  /** The ordinal that the next event will get. */
  head(): number
  /** The first ordinal that is still kept. */
  oldest(): number
  /** The cursor of the event before `ordinal`: where to resume after having read up to it. */
  cursorBefore(ordinal: number): string
  at(ordinal: number): LiveEvent | null
  add(batchId: string, index: number, event: LiveEvent): void
  /** The ordinal after the event of this cursor; null when the ring does not hold it (any more). */
  after(cursor: string): number | null
}

/** `sinceMs`: the cursor before the first event, so that a cursor of an earlier process is not taken for one of this. */
export function createRing(limits: RingLimits = defaultRingLimits, sinceMs = 0): Ring {
  const slots: (Slot | undefined)[] = []
  const lastProgress = new Map<string, number>()
  let head = 0
  let oldest = 0
  let bytes = 0
  /** The event evicted last. */
  let edge: Position = { ms: sinceMs, number: 0, index: 0 }
  /** The batch of the event added last. */
  let batch = { id: '', ms: 0, number: 0 }

  const slotAt = (ordinal: number): Slot | undefined =>
    ordinal >= oldest && ordinal < head ? slots[ordinal % limits.slots] : undefined

  function evict(): void {
    const slot = slotAt(oldest)
    if (slot) {
      bytes -= slot.bytes
      edge = { ms: slot.ms, number: slot.number, index: slot.index }
      const id = slot.event?.progress?.requestId
      if (id !== undefined && lastProgress.get(id) === oldest) lastProgress.delete(id)
      slots[oldest % limits.slots] = undefined
    }
    oldest++
  }

  /** Who has not read this progress yet needs only the newer event. */
  function supersede(requestId: string): void {
    const slot = slotAt(lastProgress.get(requestId) ?? -1)
    if (!slot?.event) return
    slot.event = null
    bytes -= slot.bytes
    slot.bytes = 0
  }

  return {
    head: () => head,
    oldest: () => oldest,
    cursorBefore: (ordinal) => textOf(slotAt(ordinal - 1) ?? edge),
    at: (ordinal) => slotAt(ordinal)?.event ?? null,

    add(batchId, index, event) {
      if (batchId !== batch.id) batch = { id: batchId, ...positionOf(batchId) }
      const size = sizeOf(event)
      while (head - oldest >= limits.slots || (bytes + size > limits.bytes && oldest < head)) evict()
      const { progress, settled } = event
      if (progress) {
        supersede(progress.requestId)
        lastProgress.set(progress.requestId, head)
      } else if (settled) {
        supersede(settled.requestId)
        lastProgress.delete(settled.requestId)
      }
      slots[head % limits.slots] = { ms: batch.ms, number: batch.number, index, event, bytes: size }
      bytes += size
      head++
    },

    after(cursor) {
      const position = readCursor(cursor)
      if (!position) return null
      if (compare(position, edge) === 0) return oldest
      let low = oldest
      let high = head - 1
      while (low <= high) {
        const middle = (low + high) >> 1
        const order = compare(slotAt(middle) ?? edge, position)
        if (order === 0) return middle + 1
        if (order < 0) low = middle + 1
        else high = middle - 1
      }
      return null
    },
  }
}

/** Parses a cursor that a client sent back; null when it is not one. */
export function readCursor(text: string): (Position & { batchId: string }) | null {
  const match = /^(\d{1,15})-(\d{1,15})\.(\d{1,9})$/.exec(text)
  if (!match) return null
  const [, ms, number, index] = match
  return { ms: Number(ms), number: Number(number), index: Number(index), batchId: `${ms}-${number}` }
}

function positionOf(batchId: string): { ms: number; number: number } {
  const dash = batchId.indexOf('-')
  return { ms: Number(batchId.slice(0, dash)), number: Number(batchId.slice(dash + 1)) }
}

const textOf = ({ ms, number, index }: Position): string => `${ms}-${number}.${index}`

const compare = (a: Position, b: Position): number => a.ms - b.ms || a.number - b.number || a.index - b.index

/** About what an event takes in memory. All its texts are short, except model and reason. */
function sizeOf(event: LiveEvent): number {
  const about = event.started ?? event.progress ?? event.settled
  if (about) return 500 + about.model.length * 2
  if (event.rejected) return 400 + event.rejected.message.length * 2 + event.rejected.requestIds.length * 60
  if (event.account) {
    const { state, gauges } = event.account
    return 600 + state.reason.length * 2 + Object.keys(state.models).length * 200 + (gauges?.length ?? 0) * 120
  }
  return 200
}
