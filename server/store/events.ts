/** The content of a message: JSON. Money is a number below 2^53 or decimal text. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export type EventListener = (message: Json) => void | Promise<void>

/** Called with failures that have no caller to throw to. `doing` names the topic, never the message. */
export type ReportEventFailure = (error: unknown, doing: string) => void

/**
 * Messages to every listener of a topic, in this process or in all that share a Redis. Delivery is at most once: a process
 * that has no connection misses messages, and `onReconnect` is called when it has one again.
 */
export interface Events {
  /**
   * Returns at once. Listeners of this process are called right after the caller's turn of the event loop, exactly once,
   * also while Redis is away. Every listener gets a copy made now. Throws only for a message that is not JSON.
   */
  publish(topic: string, message: Json): void
  /**
   * Resolves when the subscription is live (when Redis is away: as soon as it is back), with the function that ends it. An
   * error of a listener is reported and does not affect the others.
   */
  subscribe(topic: string, listener: EventListener): Promise<() => Promise<void>>
  /** Called when subscriptions are live again after a break: everything that was built from events must be read again. */
  onReconnect(listener: () => void): () => void
  close(): Promise<void>
}
