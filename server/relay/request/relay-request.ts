// One request of a client, as the relay found it at admission.
import type { IncomingHttpHeaders } from 'node:http'
import type { Account } from '../../accounts/account.ts'
import type { ClientResponse } from '../../http/client-response.ts'
import type { Span } from '../../json/members.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import type { AttemptEntry, Outcome } from '../../ledger/entry.ts'
import type { LiveRequest } from '../../live/live-events.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Format } from '../../upstreams/format.ts'
import type { Reservation } from '../settlement/reserved.ts'

/** Never changed once it is made. */
export interface RelayRequest {
  readonly id: RequestId
  /** The same id as the ledger's key, decimal. */
  readonly ledgerId: string
  /** What the client speaks: its errors and pings are made in it. */
  readonly format: Format
  readonly key: ApiKey
  readonly clientIp: string
  /** As node read them, names in lower case. */
  readonly clientHeaders: IncomingHttpHeaders
  /** /v1/messages or /v1/messages/count_tokens */
  readonly path: string
  readonly query: string
  /** Name, value, name, value … of the headers that may go up. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** What is asked for: the name itself, where the client wrote an alias of ours. */
  readonly model: string
  /** The name as the client wrote it. */
  readonly modelAsked: string
  readonly modelSpan: Span
  readonly lastMessage: Span | undefined
  readonly stream: boolean
  readonly maxTokens: number | undefined
  readonly hasTags: boolean
  readonly sessionId: string
  readonly agentId: string
  /** What keeps a conversation on one account; '' when nothing tells. */
  readonly affinityKey: string
  /** False for count_tokens: no row, no cost, no limits. */
  readonly metered: boolean
}

/** A request while it runs: what changes beside it. */
export interface RunningRequest {
  readonly request: RelayRequest
  readonly client: ClientResponse
  /** None until it has one. */
  reservation: Reservation
  /** What live subscribers see once the request is admitted; null for what is not metered. */
  live: LiveRequest | null
  /** One for each upstream call that has ended. */
  readonly attempts: AttemptEntry[]
  /** The account it is at, or was at last. */
  account: Account | null
  /** Gives its place in the failover budget back, as soon as the account is fixed; null: it has none. */
  giveBackFailover: (() => void) | null
}

/** How a request ended, for its row. */
export interface RequestEnd {
  outcome: Exclude<Outcome, 'interrupted'>
  httpStatus: number
  errorType: string
}
