import { createSubscriber, type Subscriber } from './subscriber.ts'

/** With many subscribers, messages come in fewer, larger pieces: at most this far apart. */
const maxPaceMs = 1000

/** The sign-in a subscriber belongs to, and when it ends. */
export interface SubscriberSession {
  userId: number
  sessionId: number
  expiresAtMs: number
}

/** Subscribers that are woken together: at once when it was quiet, else at a pace that falls with their number. */
export interface Subscribers {
  /** `take` and `onEnd` as in {@link createSubscriber}. */
  add<T>(
    take: () => T | null | Promise<T | null>,
    session: SubscriberSession | undefined,
    onEnd?: () => void,
  ): AsyncIterableIterator<T>
  /** So many new events may be taken. */
  wake(events: number): void
  /** Ends those whose session is over. */
  end(isOver: (session: SubscriberSession | undefined) => boolean): void
  size(): number
  sessionIds(): number[]
  /** Ends all, and whoever is added later. */
  close(): void
}

/** `batchMs`: the shortest time between two wake-ups. */
export function createSubscribers(batchMs: number): Subscribers {
  const subscribers = new Map<Pick<Subscriber<unknown>, 'wake' | 'end'>, SubscriberSession | undefined>()
  let timer: NodeJS.Timeout | null = null
  let notBeforeMs = 0
  let closed = false

  function wakeAll(): void {
    timer = null
    for (const subscriber of subscribers.keys()) subscriber.wake()
  }

  function end(isOver: (session: SubscriberSession | undefined) => boolean): void {
    for (const [subscriber, session] of subscribers) if (isOver(session)) subscriber.end()
  }

  return {
    add(take, session, onEnd = () => {}) {
      const subscriber = createSubscriber(take, () => {
        subscribers.delete(subscriber)
        onEnd()
      })
      if (closed) subscriber.end()
      else subscribers.set(subscriber, session)
      return subscriber.iterator
    },
    wake(events) {
      if (timer !== null || subscribers.size === 0) return
      const paceMs = Math.min(maxPaceMs, batchMs + events * subscribers.size)
      const waitMs = notBeforeMs - performance.now()
      notBeforeMs = performance.now() + Math.max(0, waitMs) + paceMs
      if (waitMs <= 0) wakeAll()
      else timer = setTimeout(wakeAll, waitMs)
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
