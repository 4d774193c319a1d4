// How long each phase of an attempt may take, in milliseconds. There is no limit on the whole.
export interface RelayTimers {
  /** From the request to the first byte of a streamed response. */
  firstByteStreamMs: number
  /** The same for a JSON response, unless the client says less or more by x-stainless-timeout. */
  firstByteJsonMs: number
  /** Upstream silence in the middle of a response. */
  idleMs: number
  /** After a 200 without content, the account is fixed and the client gets its head. */
  commitMs: number
  /** Upstream silence after which the client gets a ping of ours. */
  pingMs: number
  /** A client that takes nothing is cut off. */
  blockedMs: number
  /** After the last event, how long the upstream may take to end the response. */
  closeMs: number
  /** How long a response that its client has left is read for its usage. */
  drainMs: number
  /** How often the clock of all running attempts ticks. */
  tickMs: number
}

export const defaultTimers: RelayTimers = {
  firstByteStreamMs: 120_000,
  firstByteJsonMs: 600_000,
  idleMs: 240_000,
  commitMs: 10_000,
  pingMs: 15_000,
  blockedMs: 120_000,
  closeMs: 2_000,
  drainMs: 600_000,
  tickMs: 500,
}
