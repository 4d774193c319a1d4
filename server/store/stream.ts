/** One appended batch (plain JSON). Ids grow across all processes: `milliseconds-number`, as Redis makes them. */
export interface StreamEntry<T> {
  id: string
  batch: T
}

export interface StreamListener<T> {
  /** Called once for every batch of every process, this one included, in the order of ids. */
  onBatch(entry: StreamEntry<T>): void
  /** Batches were lost before they could be read (the stream was cut or emptied while Redis was away). */
  onLoss(): void
}

/**
 * Batches in one order for all processes. The newest are kept and can be read again. Unlike `Events`, nothing is lost while
 * a process has no connection: it continues where it stopped.
 */
export interface Stream<T> {
  /** True when other processes write here too. */
  isShared: boolean
  /** Delivers the kept batches, oldest first, and then every new one. Resolves when the kept ones are delivered. */
  follow(listener: StreamListener<T>): Promise<void>
  /**
   * Resolves when the batch is in the stream, once, however often it had to be sent. Waits for Redis without a limit, one
   * call at a time. After `close` it resolves without appending.
   */
  append(batch: T): Promise<void>
  /** The entry with this id and up to `count` more; null when the stream does not (or no longer) hold it. */
  read(from: string, count: number): Promise<StreamEntry<T>[] | null>
  close(): Promise<void>
}
