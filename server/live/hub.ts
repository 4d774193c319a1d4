// Over 300 lines: the verbs of the hub share one state, and its contract stands above them.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReportEventFailure } from '../store/events.ts'
import type { Stream } from '../store/stream.ts'
import type { ZoneDay } from '../zone-days.ts'
import {
  createDayTotals,
  type DaySeed,
  type DayTotals,
  type TotalsEvent,
  type TotalsView,
  totalsSince,
} from './day-totals.ts'
import { createEventReader, entriesOf } from './event-reader.ts'
import {
  type AccountChange,
  canRead,
  type LiveBatch,
  type LiveFilter,
  type LiveMessage,
  type LiveRequest,
  type LiveViewer,
  type RejectedRequests,
  type SettledRequest,
} from './live-events.ts'
import { createOutbox } from './outbox.ts'
import { createRing, type RingLimits } from './ring.ts'
import { createRunningRequests, silentMs } from './running-requests.ts'
import { createSubscribers, type SubscriberSession } from './subscribers.ts'

/** The hub as the relay and the jobs report to it. Its verbs are cheap and never throw. */
export interface LiveSource {
  /** A request was admitted. The object stays the caller's, who changes it until `settled`. */
  started(request: LiveRequest): void
  /** The object given to `started` has changed; sent at most once a second a request. */
  progress(request: LiveRequest): void
  /** The request ended, with what the ledger was given. */
  settled(request: SettledRequest): void
  /** A request given to `started` was refused while it waited; its count follows with `rejected`. */
  left(requestId: string): void
  /** Requests were refused before any upstream was asked. */
  rejected(requests: RejectedRequests): void
  accountChanged(change: AccountChange): void
  /** The ledger was changed without events: journals replayed, rows priced anew. */
  recount(): void
}

/** The hub as subscriptions and queries read from it. */
export interface LiveHub extends LiveSource {
  /** Where the feed stands: what is read in the same turn is true at it. It counts as reading, so that no event after it is missing. */
  cursor(): string
  /** The newest cursor up to which all settled requests are in the ledger, as `isStored` says of their records. */
  ledgerCursor(isStored: (record: NonNullable<SettledRequest['record']>) => boolean): string
  /** Running requests of all processes that this viewer may read, oldest first. */
  requests(viewer: LiveViewer): LiveRequest[]
  /** A request that runs, or that settled a moment ago. */
  find(viewer: LiveViewer, requestId: string): { running: LiveRequest } | { settled: SettledRequest } | null
  /** How many requests run of an account, a key or a group, in all processes. */
  inFlight(of: 'accountId' | 'apiKeyId' | 'groupId', id: number): number
  /** Today's sums now. */
  totals(viewer: LiveViewer): DayTotals
  /** Events as they come; the first message comes at once. `after`: a cursor to resume from, else from now on. Ends with its reader or the hub. */
  events(filter: LiveFilter, after?: string, session?: SubscriberSession): AsyncIterableIterator<LiveMessage>
  /** A snapshot, then what to add to it, or another snapshot. */
  costTotals(viewer: LiveViewer, session?: SubscriberSession): AsyncIterableIterator<LiveMessage<TotalsEvent>>
  /** Ends the subscribers of a session, or of all sessions of a user; others end when their session expires. */
  sessionsEnded(ended: { sessionId: number } | { userId: number }): void
  /** Sessions that have subscribers. */
  subscriberSessions(): number[]
  subscriberCount(): number
  /** Resolves when everything reported so far is in the stream. */
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
  /** Events of this long go into one batch. */
  batchMs?: number
  /** How long events are made after the last reader: a subscriber that left, or a query that returned a cursor. */
  keepMs?: number
}

const defaultBatchMs = 50
const defaultKeepMs = 120_000
/** How often progress is looked at that waits for its second to pass. */
const waitingPaceMs = 250
const seedRetryMs = 5_000
const closeFlushMs = 1_000

/** One hub a process. Resolves when it has read the kept part of the stream and today's sums. */
export async function openLiveHub(parts: HubParts): Promise<LiveHub> {
  const { stream, now, report } = parts
  const { batchMs = defaultBatchMs, keepMs = defaultKeepMs } = parts
  const self = randomUUID()
  const ring = createRing(parts.ringLimits, stream.isShared ? 0 : now() - 1)
  const totals = createDayTotals(parts)
  const running = createRunningRequests({ now, self })
  // Two sets: who waits for sums is not woken by events without them.
  const eventSubscribers = createSubscribers(batchMs)
  const totalsSubscribers = createSubscribers(batchMs)
  /** Events not made because nobody read them. */
  let skipped = 0
  let lastReadMs = Number.NEGATIVE_INFINITY
  let flushTimer: NodeJS.Timeout | null = null
  let flushing: Promise<void> | null = null
  let seedTimer: NodeJS.Timeout | null = null
  let seeding: Promise<void> | null = null
  let seedAgain = false
  let closed = false

  const outbox = createOutbox({ now, wake: () => scheduleFlush(batchMs) })

  /** Whether to make an event. Making thousands a second that nobody reads would slow the relay. */
  function isWanted(): boolean {
    // Other processes may have subscribers.
    const isWatched =
      stream.isShared || eventSubscribers.size() > 0 || totalsSubscribers.size() > 0 || now() - lastReadMs < keepMs
    if (!isWatched) skipped++
    return isWatched
  }

  function scheduleFlush(afterMs: number): void {
    if (flushTimer === null && flushing === null && !closed) flushTimer = setTimeout(flush, afterMs)
  }

  function flush(): void {
    flushTimer = null
    const taken = outbox.take()
    if (taken === null) {
      if (outbox.hasMore()) scheduleFlush(waitingPaceMs)
      return
    }
    flushing = stream
      .append({ from: self, ...taken })
      .catch((error: unknown) => report(error, 'sending live events'))
      .then(() => {
        flushing = null
        if (outbox.hasMore()) scheduleFlush(batchMs)
      })
  }

  function receive(id: string, batch: LiveBatch): void {
    entriesOf(batch).forEach((entry, index) => {
      ring.add(id, index, entry)
      running.receive(batch.from, entry, Number.parseInt(id, 10))
      if (entry.settled) totals.add(entry.settled)
      if (entry.rejected) totals.reject(entry.rejected)
    })
    if (batch.recount || batch.lost > 0) void recountNow()
    eventSubscribers.wake(batch.records.length)
    totalsSubscribers.wake(batch.records.length)
  }

  /** One at a time; a call during a run makes it run once more. */
  function recountNow(): Promise<void> {
    seedAgain = true
    seeding ??= readSeeds().finally(() => {
      seeding = null
    })
    return seeding
  }

  async function readSeeds(): Promise<void> {
    try {
      while (seedAgain && !closed) {
        seedAgain = false
        const day = totals.day()
        totals.reset(day, await parts.seed(day))
      }
      totalsSubscribers.wake(1)
    } catch (error) {
      report(error, 'reading the totals of today')
      seedTimer ??= setTimeout(() => {
        seedTimer = null
        void recountNow()
      }, seedRetryMs)
      seedTimer.unref()
    }
  }

  const here = (): string => ring.cursorBefore(ring.head())

  function addLoss(dropped: number | null): void {
    ring.add(here().replace(/\.\d+$/, ''), 1_000_000 + ring.head(), { lost: { dropped } })
  }

  /** From now on events are made; those that were not made before become a gap. */
  function beginReading(): void {
    if (skipped > 0) addLoss(skipped)
    skipped = 0
    lastReadMs = now()
  }

  function endSubscribers(isOver: (session: SubscriberSession | undefined) => boolean): void {
    eventSubscribers.end(isOver)
    totalsSubscribers.end(isOver)
  }

  await stream.follow({
    onBatch: ({ id, batch }) => receive(id, batch),
    onLoss() {
      addLoss(null)
      void recountNow()
      eventSubscribers.wake(1)
    },
  })
  await recountNow()
  // The day changes also while nothing happens, and other processes must know that quiet requests still run.
  const clock = setInterval(() => {
    if (stream.isShared) outbox.remind(silentMs / 3)
    running.removeStale()
    endSubscribers((session) => session !== undefined && session.expiresAtMs <= now())
    const { day } = totals.view({ userId: null })
    if (day !== lastDay) totalsSubscribers.wake(1)
    lastDay = day
  }, 1_000)
  let lastDay = totals.day()
  clock.unref()

  const hub: LiveHub = {
    started(request) {
      running.begin(request)
      if (isWanted()) outbox.begin(request)
    },
    progress(request) {
      if (isWanted()) outbox.change(request)
    },
    settled(request) {
      running.end(request.requestId)
      outbox.end(request.requestId)
      if (isWanted()) return outbox.push({ settled: request })
      totals.add(request)
      totalsSubscribers.wake(1)
    },
    left(requestId) {
      running.end(requestId)
      outbox.end(requestId)
    },
    rejected(requests) {
      if (isWanted()) return outbox.push({ rejected: requests })
      totals.reject(requests)
      totalsSubscribers.wake(1)
    },
    accountChanged(change) {
      if (isWanted()) outbox.push({ account: change })
    },
    recount: outbox.recount,
    requests: (viewer) =>
      running
        .list()
        .filter((request) => canRead(viewer, request))
        .sort((a, b) => a.startedAtMs - b.startedAtMs),
    cursor() {
      beginReading()
      return here()
    },
    ledgerCursor(isStored) {
      beginReading()
      for (let ordinal = ring.oldest(); ordinal < ring.head(); ordinal++) {
        const record = ring.at(ordinal)?.settled?.record
        if (record && !isStored(record)) return ring.cursorBefore(ordinal)
      }
      return here()
    },
    find(viewer, requestId) {
      const request = running.byId(requestId)
      if (request) return canRead(viewer, request) ? { running: request } : null
      for (let ordinal = ring.head() - 1; ordinal >= ring.oldest(); ordinal--) {
        const settled = ring.at(ordinal)?.settled
        if (settled?.requestId === requestId) return canRead(viewer, settled) ? { settled } : null
      }
      return null
    },
    inFlight: (of, id) => running.list().filter((request) => request[of] === id).length,
    totals(viewer) {
      const { day, sums } = totals.view(viewer)
      return { day, ...sums }
    },
    events(filter, after, session) {
      beginReading()
      const read = createEventReader({ ring, stream }, filter, after)
      return eventSubscribers.add(read, session, () => {
        lastReadMs = now()
      })
    },
    costTotals(viewer, session) {
      let before: TotalsView | null = null
      beginReading()
      const read = (): LiveMessage<TotalsEvent> | null => {
        const view = totals.view(viewer)
        const event = totalsSince(before, view)
        if (event === null) return null
        before = view
        return { cursor: here(), gap: null, events: [event] }
      }
      return totalsSubscribers.add(read, session, () => {
        lastReadMs = now()
      })
    },
    sessionsEnded: (ended) =>
      endSubscribers(
        (session) =>
          session !== undefined &&
          ('userId' in ended ? session.userId === ended.userId : session.sessionId === ended.sessionId),
      ),
    subscriberSessions: () => [...eventSubscribers.sessionIds(), ...totalsSubscribers.sessionIds()],
    subscriberCount: () => eventSubscribers.size() + totalsSubscribers.size(),
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
      // Other processes should learn how the last requests ended, but a Redis that is away delays nothing.
      await Promise.race([hub.flushed(), sleep(closeFlushMs, undefined, { ref: false })])
      closed = true
      for (const timer of [flushTimer, seedTimer]) if (timer) clearTimeout(timer)
      clearInterval(clock)
      eventSubscribers.close()
      totalsSubscribers.close()
      await stream.close()
    },
  }
  return hub
}
