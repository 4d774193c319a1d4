import type { IncomingMessage } from 'node:http'
import type { Account } from '../../accounts/account.ts'
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import type { ClientResponse } from '../../http/client-response.ts'
import type { Span } from '../../json/members.ts'
import type { ApiKey } from '../../keys/keys.ts'
import type { AttemptEntry } from '../../ledger/entry.ts'
import type { LiveRequest } from '../../live/live-events.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Ticket } from '../settlement/reserve.ts'

/** Which account a conversation went to. */
export interface ConversationPlace {
  accountId: number
  /** The reasoning of so many messages from the first was signed by other accounts. */
  foreignBefore: number
}

/** One request on its way through the relay, from admission to bill. */
export interface Exchange {
  id: RequestId
  /** The same id as the ledger's key, decimal. */
  ledgerId: string
  req: IncomingMessage
  res: ClientResponse
  key: ApiKey
  /** /v1/messages or /v1/messages/count_tokens */
  path: string
  query: string
  /** Those that may go up: name, value, name, value …, as they came. */
  headers: readonly string[]
  body: Buffer
  model: string
  modelSpan: Span
  lastMessage: Span | undefined
  stream: boolean
  maxTokens: number | undefined
  hasTags: boolean
  /** Bytes of the body as it came. */
  requestBytes: number
  sessionId: string
  agentId: string
  /** What keeps a conversation on one account; '' when nothing tells. */
  stickyKey: string
  /** Where its conversation was before; null when it is new here. */
  cameFrom: ConversationPlace | null
  /** False for count_tokens: no row, no cost, no limits. */
  metered: boolean
  /** The account it is at, or was at last; null before the first. */
  account: Account | null
  /** True while it counts as one of that account's requests in flight. */
  holdsPlace: boolean
  /** What it holds of its key's budgets. */
  ticket: Ticket
  /** The client closed its connection. */
  clientLeft: boolean
  /** What waits for this request (an upstream call, the queue), to be told when the client leaves. Not a function: a closure here costs 20 µs a request. */
  call: { clientIsGone(): void } | null
  /** What the live door was told; null for what is not metered. */
  told: LiveRequest | null
  /** When the first byte of the answer went to the client, epoch ms; 0 before. */
  firstByteAtMs: number
  attempts: AttemptEntry[]
  /** The account whose access token was renewed because the upstream refused it; 0: none. */
  renewedId: number
}

/** How long each phase may take, in milliseconds. No limit on the whole. */
export interface ForwardTimers {
  /** From the request to the first byte of a streamed answer. */
  firstByteStreamMs: number
  /** The same for a JSON answer, unless the client says less or more by x-stainless-timeout. */
  firstByteJsonMs: number
  /** Upstream silence in the middle of an answer. */
  idleMs: number
  /** After a 200 without content, the account is fixed and the client is answered. */
  commitMs: number
  /** Upstream silence after which the client gets a ping of ours. */
  pingMs: number
  /** A client that takes nothing is cut off. */
  blockedMs: number
  /** After message_stop, how long the upstream may take to end the answer. */
  closeMs: number
  /** How long an answer that its client has left is read for its usage. */
  drainMs: number
  /** How often the clock of all answers under way is looked at. */
  tickMs: number
}

export const defaultTimers: ForwardTimers = {
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

/** What becomes of an upstream's answer when its client leaves: broken off, or read to its usage. */
export type Disconnect = 'abort' | 'drain'

/** Bytes of a stream held before the account is fixed. */
export const heldBytesLimit = 64 * 1024
/** Bytes of an upstream's error that are read. */
export const errorBytesLimit = 1024 * 1024
/** Bytes of a JSON answer. */
export const jsonBytesLimit = 64 * 1024 * 1024

/** What became of one upstream call. */
export type AttemptResult =
  /** The client has its answer (or has left, or was told that it broke off). */
  | { kind: 'done'; outcome: 'completed' | 'failed' | 'aborted'; httpStatus: number; errorType: string }
  /** Nothing was sent; another account may be tried. */
  | {
      kind: 'next'
      errorType: string
      /** The connection never came about: outside the retry budget. */
      connectPhase: boolean
      misconfigured: boolean
      /** What happened to the account, if anything; and who found it out. */
      event: AccountEvent | null
      cause: Cause
      /** Two with the same text met a fault of the request; '' when the fault is the account's. */
      sameAs: string
      /** The upstream's own words go to the client if no other account can serve. */
      passIfLast: boolean
      /** The upstream's own answer, where it may be passed on. */
      refusal: { status: number; headers: string[]; body: Buffer } | null
    }
  /** The upstream says the request itself is wrong: its answer is to be passed on as it came. */
  | { kind: 'caller'; errorType: string; refusal: { status: number; headers: string[]; body: Buffer } }

/** The same, or: the access token is not taken any more, and may be renewed. */
export type CallResult = AttemptResult | { kind: 'unauthorized' }
