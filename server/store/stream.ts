/** What was appended (plain JSON), under an id that grows over all processes: `milliseconds-number`, as Redis makes them. */
export interface StreamEntry<T> {
  id: string
  batch: T
}

export interface StreamListener<T> {
  /** Every batch of every process, own ones too: once, in the order of ids. */
  onBatch(entry: StreamEntry<T>): void
  /** Batches were lost before they could be read (the stream was cut or emptied while Redis was away). */
  onLoss(): void
}

/**
 * One order of batches for all processes, of which the newest are kept to be read again. Unlike `Events` nothing is
 * lost while a process has no connection: it reads on where it stopped.
 */
export interface Stream<T> {
  /** True when other processes write here too. */
  isShared: boolean
  /** Hands over what is kept, oldest first, then all that follows; resolves when the first part is done. */
  follow(listener: StreamListener<T>): Promise<void>
  /**
   * Resolves when the batch is in the stream: once, however often it had to be sent. Waits for Redis as long as it
   * takes, one call at a time; resolves undone only after `close`.
   */
  append(batch: T): Promise<void>
  /** The entry of an id and up to `count` more; null when the stream does not hold that id (any more). */
  read(from: string, count: number): Promise<StreamEntry<T>[] | null>
  close(): Promise<void>
}
