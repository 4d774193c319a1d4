/** What can travel: JSON, nothing else. Money goes as a number below 2^53 or as decimal text. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export type EventListener = (message: Json) => void | Promise<void>

/** Told about failures that have nobody to throw at. `doing` names the topic, never the message. */
export type ReportEventFailure = (error: unknown, doing: string) => void

/**
 * Messages to every listener of a topic, in this process or in all that share a Redis. At most once: what is published
 * while a process has no connection never reaches it, and `onReconnect` says so.
 */
export interface Events {
  /**
   * Returns at once; listeners of this process hear the message right after the caller's turn, exactly once, also while
   * Redis is away. Every listener gets a copy made now. Throws only for what is not JSON.
   */
  publish(topic: string, message: Json): void
  /**
   * Resolves when the subscription is live (while Redis is away: at its return), with the verb that ends it. A listener
   * that throws or rejects is reported and stops nobody.
   */
  subscribe(topic: string, listener: EventListener): Promise<() => Promise<void>>
  /** Called when subscriptions are live again after a break: whatever was built from events must be read anew. */
  onReconnect(listener: () => void): () => void
  close(): Promise<void>
}
