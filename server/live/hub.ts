import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReportEventFailure } from '../store/events.ts'
import type { Stream } from '../store/stream.ts'
import type { ZoneDay } from '../zone-days.ts'
import { createAudience } from './audience.ts'
import { type CostTotals, createDayTotals, type DaySeed, type TotalsView, totalsSince } from './day-totals.ts'
import { createDeliveries, type ReaderSession } from './deliveries.ts'
import type {
  AccountChange,
  LiveBatch,
  LiveEvent,
  LiveFilter,
  LiveRequest,
  LiveViewer,
  SettledRequest,
} from './live-events.ts'
import { maySee } from './live-events.ts'
import { createOutbox } from './outbox.ts'
import { createReaders, entriesOf } from './reader.ts'
import { createRing, type RingLimits } from './ring.ts'
import { createUnderWay, silentMs } from './under-way.ts'

/** What happens, told by those to whom it happens. Cheap, never throws, keeps no promise waiting. */
export interface LiveSource {
  /** Admitted. The object stays the caller's: it goes on changing it until `settled`. */
  started(request: LiveRequest): void
  /** The object of `started` has changed; told at most once a second a request. */
  progress(request: LiveRequest): void
  /** Ended, with what the ledger was given. Ends what `started` began. */
  settled(request: SettledRequest): void
  accountChanged(change: AccountChange): void
  /** The ledger was changed behind the events: journals replayed, rows priced anew. */
  recount(): void
}

/** The live door's reading side: snapshots and iterators. Nothing is read per subscriber. */
export interface LiveHub extends LiveSource {
  /** Requests under way in all processes that this viewer may see, oldest first. */
  requests(viewer: LiveViewer): LiveRequest[]
  /** Today's sums now. */
  totals(viewer: LiveViewer): CostTotals
  /** Lists of events as they come; `after`: a sequence to resume from, else from now on. Ends with its reader or the hub. */
  events(filter: LiveFilter, after?: string, session?: ReaderSession): AsyncIterableIterator<LiveEvent[]>
  /** A snapshot, then what to add to it, or another snapshot. */
  costTotals(viewer: LiveViewer, session?: ReaderSession): AsyncIterableIterator<CostTotals>
  /** Ends the readers of a session, or of all sessions of a user; others end with their session's time. */
  sessionsEnded(ended: { sessionId: number } | { userId: number }): void
  /** Sessions that somebody reads in. */
  readerSessions(): number[]
  /** Readers that have not ended. */
  subscriberCount(): number
  /** Resolves when everything told so far is in the order of all processes. */
  flushed(): Promise<void>
  close(): Promise<void>
}

export interface HubParts {
  stream: Stream<LiveBatch>
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** The ledger's sums of a day (day-seed.ts). */
  seed: (day: string) => Promise<DaySeed>
  report: ReportEventFailure
  ringLimits?: RingLimits
  /** From the first event of a batch to the batch. */
  batchMs?: number
  /** How long events are kept for readers to come back to once the last one has left. */
  keepMs?: number
}

const defaultBatchMs = 50
/** How often is looked for what waits for its second to pass. */
const waitingPaceMs = 250
const seedAgainMs = 5_000
const lastWordsMs = 1_000

/** One hub a process. Resolves when it has heard what is kept, and has today's sums. */
export async function openLiveHub(parts: HubParts): Promise<LiveHub> {
  const { stream, now, report } = parts
  const batchMs = parts.batchMs ?? defaultBatchMs
  const self = randomUUID()
  const ring = createRing(parts.ringLimits)
  const totals = createDayTotals(parts)
  const underWay = createUnderWay({ now, self })
  const readers = createReaders({ ring, stream })
  // Apart: sums change with every request, events often concern nobody who reads.
  const eventReaders = createDeliveries(batchMs)
  const totalsReaders = createDeliveries(batchMs)
  let flushTimer: NodeJS.Timeout | null = null
  let flushing: Promise<void> | null = null
  let seedTimer: NodeJS.Timeout | null = null
  let seeding: Promise<void> | null = null
  let seedAgain = false
  let closed = false
  // Other processes may have readers that this one does not know.
  const audience = createAudience({ isAlways: stream.isShared, keepMs: parts.keepMs, head: ring.head })

  const outbox = createOutbox({ now, wake: () => scheduleFlush(batchMs) })

  function scheduleFlush(afterMs: number): void {
    if (flushTimer === null && flushing === null && !closed) flushTimer = setTimeout(flush, afterMs)
  }

  function flush(): void {
    flushTimer = null
    const taken = outbox.take()
    if (taken === null) {
      // What waits for its second to pass.
      if (outbox.hasMore()) scheduleFlush(waitingPaceMs)
      return
    }
    flushing = stream
      .append({ from: self, ...taken })
      .catch((error: unknown) => report(error, 'telling live events'))
      .then(() => {
        flushing = null
        if (outbox.hasMore()) scheduleFlush(batchMs)
      })
  }

  function hear(id: string, batch: LiveBatch): void {
    entriesOf(batch).forEach((entry, index) => {
      ring.add(id, index, entry)
      if ('gap' in entry) return
      underWay.hear(batch.from, entry, Number.parseInt(id, 10))
      if ('settled' in entry) totals.add(entry.settled)
    })
    if (batch.recount || batch.lost > 0) void recountNow()
    eventReaders.schedule(batch.records.length)
    totalsReaders.schedule(batch.records.length)
  }

  /** One at a time; a call that comes while one runs is answered by one more run. */
  function recountNow(): Promise<void> {
    seedAgain = true
    seeding ??= recountOften().finally(() => {
      seeding = null
    })
    return seeding
  }

  async function recountOften(): Promise<void> {
    try {
      while (seedAgain && !closed) {
        seedAgain = false
        const day = totals.day()
        totals.reset(day, await parts.seed(day))
      }
      totalsReaders.schedule(1)
    } catch (error) {
      report(error, 'reading the totals of today')
      seedTimer ??= setTimeout(() => {
        seedTimer = null
        void recountNow()
      }, seedAgainMs)
      seedTimer.unref()
    }
  }

  function addGap(dropped: number): void {
    ring.add(ring.sequenceBefore(ring.head()).replace(/\.\d+$/, ''), 1_000_000 + ring.head(), { gap: { dropped } })
  }

  function endReaders(isOver: (session: ReaderSession | undefined) => boolean): void {
    eventReaders.end(isOver)
    totalsReaders.end(isOver)
  }

  await stream.follow({
    onBatch: ({ id, batch }) => hear(id, batch),
    onLoss() {
      addGap(0)
      void recountNow()
      eventReaders.schedule(1)
    },
  })
  await recountNow()
  // The day turns also while nothing happens; other processes hear of requests that are silent for long.
  const clock = setInterval(() => {
    if (stream.isShared) outbox.remind(silentMs / 3)
    underWay.sweep()
    endReaders((session) => session !== undefined && session.expiresAtMs <= now())
    const { day } = totals.view({ userId: null })
    if (day !== lastDay) totalsReaders.schedule(1)
    lastDay = day
  }, 1_000)
  let lastDay = totals.day()
  clock.unref()

  const hub: LiveHub = {
    started(request) {
      underWay.begin(request)
      if (audience.wants('started', request)) outbox.begin(request)
    },
    progress(request) {
      if (audience.wants('progress', request)) outbox.change(request)
    },
    settled(request) {
      underWay.end(request.requestId)
      outbox.end(request.requestId)
      if (audience.wants('settled', request)) return outbox.push({ settled: request })
      totals.add(request)
      totalsReaders.schedule(1)
    },
    accountChanged: (change) => outbox.push({ account: change }),
    recount: outbox.recount,
    requests: (viewer) =>
      underWay
        .list()
        .filter((request) => maySee(viewer, request))
        .sort((a, b) => a.startedAtMs - b.startedAtMs),
    totals: (viewer) => totalsSince(null, totals.view(viewer)) as CostTotals,
    events(filter, after, session) {
      const read = readers.open(filter, audience.came(filter), after)
      return eventReaders.subscribe(read, session, () => audience.left(filter))
    },
    costTotals(viewer, session) {
      let told: TotalsView | null = null
      return totalsReaders.subscribe(() => {
        const view = totals.view(viewer)
        const value = totalsSince(told, view)
        if (value !== null) told = view
        return value
      }, session)
    },
    sessionsEnded: (ended) =>
      endReaders(
        (session) =>
          session !== undefined &&
          ('userId' in ended ? session.userId === ended.userId : session.sessionId === ended.sessionId),
      ),
    readerSessions: () => [...eventReaders.sessionIds(), ...totalsReaders.sessionIds()],
    subscriberCount: () => eventReaders.size() + totalsReaders.size(),
    async flushed() {
      while (!closed && (flushTimer || flushing)) {
        if (flushTimer) {
          clearTimeout(flushTimer)
          flush()
        }
        if (!flushing) return
        await flushing
      }
    },
    async close() {
      // Other processes should hear how the last requests ended, but nobody waits for a Redis that is away.
      await Promise.race([hub.flushed(), sleep(lastWordsMs, undefined, { ref: false })])
      closed = true
      audience.close()
      for (const timer of [flushTimer, seedTimer]) if (timer) clearTimeout(timer)
      clearInterval(clock)
      eventReaders.close()
      totalsReaders.close()
      await stream.close()
    },
  }
  return hub
}
