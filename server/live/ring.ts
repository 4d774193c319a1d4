import { RenewedMap } from '../comings.ts'
import type { LiveEvent, LiveRecord } from './live-events.ts'

/** Where an event stands in the order of all processes: batch id (`ms-number`) and place in the batch. */
export interface Place {
  ms: number
  number: number
  index: number
}

interface Slot extends Place {
  /** Null once a later word on the same request made it worthless. */
  event: LiveEvent | null
  bytes: number
}

export interface RingLimits {
  slots: number
  bytes: number
}

/** A minute at hundreds of events a second. */
const defaultRingLimits: RingLimits = { slots: 32_768, bytes: 16 * 1024 * 1024 }

/** The newest events of the deployment in their order, by ordinals that only this process knows. */
export interface Ring {
  /** The ordinal that the next event will get. */
  head(): number
  /** The first ordinal that is still here. */
  oldest(): number
  /** The sequence of the event before `ordinal`: where somebody stands who has read up to it. */
  sequenceBefore(ordinal: number): string
  at(ordinal: number): LiveEvent | null
  add(batchId: string, index: number, record: LiveRecord | { gap: { dropped: number } }): void
  /** The ordinal after an event of this sequence; null when it is not here (any more). */
  after(sequence: string): number | null
}

export function createRing(limits: RingLimits = defaultRingLimits): Ring {
  const slots: (Slot | undefined)[] = []
  const lastProgress = new RenewedMap<string, number>()
  let head = 0
  let oldest = 0
  let bytes = 0
  /** The last one that left. */
  let edge: Place = { ms: 0, number: 0, index: 0 }
  /** The batch of the last one that came. */
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

  /** Progress that a later word overtook is of no use to anyone who has not read it yet. */
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
    sequenceBefore: (ordinal) => textOf(slotAt(ordinal - 1) ?? edge),
    at: (ordinal) => slotAt(ordinal)?.event ?? null,

    add(batchId, index, record) {
      if (batchId !== batch.id) batch = { id: batchId, ...placeOf(batchId) }
      const event = eventOf(`${batchId}.${index}`, record)
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

    after(sequence) {
      const place = readSequence(sequence)
      if (!place) return null
      if (compare(place, edge) === 0) return oldest
      let low = oldest
      let high = head - 1
      while (low <= high) {
        const middle = (low + high) >> 1
        const order = compare(slotAt(middle) ?? edge, place)
        if (order === 0) return middle + 1
        if (order < 0) low = middle + 1
        else high = middle - 1
      }
      return null
    },
  }
}

/** A sequence as clients send it back; null when it is none. */
export function readSequence(text: string): (Place & { batchId: string }) | null {
  const match = /^(\d{1,15})-(\d{1,15})\.(\d{1,9})$/.exec(text)
  if (!match) return null
  const [, ms, number, index] = match
  return { ms: Number(ms), number: Number(number), index: Number(index), batchId: `${ms}-${number}` }
}

function placeOf(batchId: string): { ms: number; number: number } {
  const dash = batchId.indexOf('-')
  return { ms: Number(batchId.slice(0, dash)), number: Number(batchId.slice(dash + 1)) }
}

/** Written out: a spread costs more than all else that is done with an event. */
function eventOf(sequence: string, record: LiveRecord | { gap: { dropped: number } }): LiveEvent {
  if ('settled' in record) return { sequence, settled: record.settled }
  if ('started' in record) return { sequence, started: record.started }
  if ('progress' in record) return { sequence, progress: record.progress }
  if ('account' in record) return { sequence, account: record.account }
  return { sequence, gap: record.gap }
}

const textOf = ({ ms, number, index }: Place): string => `${ms}-${number}.${index}`

const compare = (a: Place, b: Place): number => a.ms - b.ms || a.number - b.number || a.index - b.index

/** About what an event keeps in memory. Its texts are bounded where they come from, but for model and reason. */
function sizeOf(event: LiveEvent): number {
  const about = event.started ?? event.progress ?? event.settled
  if (about) return 500 + about.model.length * 2
  if (event.account) {
    const { state, gauges } = event.account
    return 600 + state.reason.length * 2 + Object.keys(state.models).length * 200 + (gauges?.length ?? 0) * 120
  }
  return 200
}
