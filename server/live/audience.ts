import {
  covers,
  filterKey,
  type LiveFilter,
  type LiveKind,
  type LiveRequest,
  passesRequest,
  type SettledRequest,
} from './live-events.ts'

const defaultKeepMs = 120_000
/** Ways of looking that are remembered after their readers have gone, to say how much they missed. */
const mostRemembered = 1000
/** Readers gone lately that events are still made for: each way of looking costs every event a comparison. */
const mostAwaited = 100

/** One way of looking: who looks alike is told alike. */
interface Looking {
  filter: LiveFilter
  readers: number
  /** From this ordinal of the ring on it has every event that passes; null: it always had. */
  since: number | null
  /** Events not made for anybody when the last reader had been gone for a while; null while they are made for it. */
  skippedBefore: number | null
  timer: NodeJS.Timeout | null
}

/** Who stood before this ordinal of the ring has missed events: so many at most, or (0) nobody knows. */
export interface Floor {
  ordinal: number
  missed: number
}

/**
 * Who reads, and what. Events that pass nobody's filter are not made: making and keeping thousands a second of them costs the
 * relay's path a third. Totals and the list of what is under way go on without them. Who comes back with a filter that nobody
 * had meanwhile is told how many there may have been.
 */
export function createAudience(parts: {
  /** There may be readers that nobody here knows of. */
  isAlways: boolean
  /** How long events go on for readers that may come back; 120 s unless told. */
  keepMs: number | undefined
  /** The ordinal that the ring gives next. */
  head: () => number
}) {
  const known = new Map<string, Looking>()
  /** Those for whom events are made. */
  let open: Looking[] = []
  /** Those of them without a reader, in the order in which the last one left. */
  const awaited = new Set<Looking>()
  let skipped = 0

  function listOpen(): void {
    open = [...known.values()].filter(({ skippedBefore }) => skippedBefore === null)
  }

  /** From where on all that passes is in the ring: since when others, who look at that and more, have been told. */
  function sinceFor(filter: LiveFilter): number | null {
    if (skipped === 0) return null
    let since: number | null = parts.head()
    for (const wide of open) {
      if (!covers(wide.filter, filter)) continue
      if (wide.since === null) return null
      since = Math.min(since, wide.since)
    }
    return since
  }

  function forgetOldest(): void {
    for (const [name, looking] of known) {
      if (known.size <= mostRemembered) return
      if (looking.skippedBefore !== null) known.delete(name)
    }
  }

  /** Nobody came back: events go on without it. */
  function giveUp(looking: Looking): void {
    if (looking.timer) clearTimeout(looking.timer)
    looking.timer = null
    awaited.delete(looking)
    looking.skippedBefore = skipped
    listOpen()
  }

  return {
    /** Whether anybody is to be told; counts what nobody is. */
    wants(kind: LiveKind, request: LiveRequest | SettledRequest): boolean {
      if (parts.isAlways) return true
      for (const { filter } of open) if (passesRequest(filter, kind, request)) return true
      skipped++
      return false
    },

    /** A reader comes. */
    came(filter: LiveFilter): Floor | null {
      if (parts.isAlways) return null
      const name = filterKey(filter)
      let looking = known.get(name)
      const missed = looking?.skippedBefore == null ? 0 : skipped - looking.skippedBefore
      if (looking === undefined) {
        looking = { filter, readers: 0, since: sinceFor(filter), skippedBefore: null, timer: null }
        known.set(name, looking)
        forgetOldest()
      } else if (looking.skippedBefore !== null) {
        if (missed > 0) looking.since = sinceFor(filter)
        looking.skippedBefore = null
      }
      if (looking.timer) clearTimeout(looking.timer)
      looking.timer = null
      awaited.delete(looking)
      looking.readers++
      listOpen()
      return looking.since === null ? null : { ordinal: looking.since, missed }
    },

    left(filter: LiveFilter): void {
      const looking = known.get(filterKey(filter))
      if (looking === undefined || --looking.readers > 0) return
      looking.timer = setTimeout(() => giveUp(looking), parts.keepMs ?? defaultKeepMs)
      looking.timer.unref()
      awaited.add(looking)
      const [oldest] = awaited
      if (awaited.size > mostAwaited && oldest) giveUp(oldest)
    },

    close(): void {
      for (const { timer } of known.values()) if (timer) clearTimeout(timer)
    },
  }
}
