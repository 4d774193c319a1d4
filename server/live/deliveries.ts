import { createSubscriber, type Subscriber } from './subscriber.ts'

/** Messages to many subscribers come in fewer, larger pieces. */
const longestPaceMs = 1000

/** Whose reading ends when. */
export interface ReaderSession {
  userId: number
  sessionId: number
  expiresAtMs: number
}

/** Subscribers of one kind, woken together: at once when nothing was told lately, else at a pace that falls with their number. */
export interface Deliveries {
  /** `take` as {@link createSubscriber} asks for it. */
  subscribe<T>(
    take: () => T | null | Promise<T | null>,
    session: ReaderSession | undefined,
    onEnd?: () => void,
  ): AsyncIterableIterator<T>
  /** There is news of so many events. */
  schedule(events: number): void
  /** Ends those for whom it is over. */
  end(isOver: (session: ReaderSession | undefined) => boolean): void
  size(): number
  /** Of those that have one. */
  sessionIds(): number[]
  /** Ends all, and whoever comes later. */
  close(): void
}

/** `batchMs`: the shortest time between two deliveries. */
export function createDeliveries(batchMs: number): Deliveries {
  const subscribers = new Map<Pick<Subscriber<unknown>, 'wake' | 'end'>, ReaderSession | undefined>()
  let timer: NodeJS.Timeout | null = null
  let notBeforeMs = 0
  let closed = false

  function deliver(): void {
    timer = null
    for (const subscriber of subscribers.keys()) subscriber.wake()
  }

  function end(isOver: (session: ReaderSession | undefined) => boolean): void {
    for (const [subscriber, session] of subscribers) if (isOver(session)) subscriber.end()
  }

  return {
    subscribe(take, session, onEnd = () => {}) {
      const subscriber = createSubscriber(take, () => {
        subscribers.delete(subscriber)
        onEnd()
      })
      if (closed) subscriber.end()
      else subscribers.set(subscriber, session)
      return subscriber.iterator
    },
    schedule(events) {
      if (timer !== null || subscribers.size === 0) return
      const paceMs = Math.min(longestPaceMs, batchMs + events * subscribers.size)
      const waitMs = notBeforeMs - performance.now()
      notBeforeMs = performance.now() + Math.max(0, waitMs) + paceMs
      if (waitMs <= 0) deliver()
      else timer = setTimeout(deliver, waitMs)
    },
    end,
    size: () => subscribers.size,
    sessionIds: () => [...subscribers.values()].flatMap((session) => session?.sessionId ?? []),
    close() {
      closed = true
      if (timer) clearTimeout(timer)
      end(() => true)
    },
  }
}
