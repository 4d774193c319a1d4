import type { EventListener, Events, Json, ReportEventFailure } from '../events.ts'

/** Events within one process. */
export function createMemoryEvents(report: ReportEventFailure): Events {
  const topics = createListeners(report)
  return {
    publish(topic, message) {
      topics.deliver(topic, JSON.stringify(message))
    },
    async subscribe(topic, listener) {
      const remove = topics.add(topic, listener)
      return async () => void remove()
    },
    onReconnect: () => () => undefined,
    async close() {
      topics.clear()
    },
  }
}

/** The listeners of a process by topic; memory and Redis both deliver through it. */
export interface Listeners {
  /** Returns the function that removes the listener; its result is true when the topic has no other. */
  add(topic: string, listener: EventListener): () => boolean
  has(topic: string): boolean
  topics(): string[]
  /** Gives each listener its own copy of the message, after the caller's turn of the event loop and in order. */
  deliver(topic: string, text: string): void
  clear(): void
}

export function createListeners(report: ReportEventFailure): Listeners {
  const byTopic = new Map<string, Set<{ listener: EventListener }>>()
  return {
    add(topic, listener) {
      // In an object, because the same function may be added twice.
      const entry = { listener }
      const entries = byTopic.get(topic) ?? new Set()
      byTopic.set(topic, entries.add(entry))
      return () =>
        entries.delete(entry) && entries.size === 0 && byTopic.get(topic) === entries && byTopic.delete(topic)
    },
    has: (topic) => byTopic.has(topic),
    topics: () => [...byTopic.keys()],
    deliver(topic, text) {
      for (const entry of byTopic.get(topic) ?? []) queueMicrotask(() => void hand(topic, entry, text))
    },
    clear: () => byTopic.clear(),
  }

  async function hand(topic: string, entry: { listener: EventListener }, text: string): Promise<void> {
    // It may have been removed since the message was queued.
    if (!byTopic.get(topic)?.has(entry)) return
    try {
      await entry.listener(JSON.parse(text) as Json)
    } catch (error) {
      report(error, `listener of ${topic}`)
    }
  }
}
