import type { Account, Platform as PlatformName } from '../accounts/account.ts'
import type { FormatFlagChanges, FormatFlags } from '../accounts/format-flags.ts'
import type { GaugeReading } from '../accounts/gauges/gauge.ts'
import type { ClassificationRow, RateLimit } from './classification.ts'
import type { Format, UpstreamError } from './format.ts'

/** What an account is: where and how its upstream is asked, and what the upstream's responses mean. */
export interface Platform {
  name: PlatformName
  format: Format
  /** Where requests go that are translated for it, as a path of ours. */
  messagePath: string
  /** False: requests of clients of another format never go there. */
  servesTranslated: boolean
  /** What the refusal of a translated request says of the flags of its account; null: nothing new. */
  learnFlags?(error: UpstreamError, flags: FormatFlags): FormatFlagChanges | null
  /** The head of the upstream request for a client's request. */
  buildRequest(account: Account, request: ClientRequest): RequestHead
  /** What errors mean where no rule of an administrator says otherwise. */
  errorRows: readonly ClassificationRow[]
  /** What the headers of a 429 say (names in lower case). */
  readRateLimit(headers: ReadonlyMap<string, string>, model: string, nowMs: number): RateLimit
  /** True when the account is the vendor's own API: only then do `tags` travel. */
  isFirstParty(account: Account): boolean
  /** A message of one token: the smallest request that shows whether an account serves a model. */
  messageProbe(account: Account, model: string): ProbeRequest
  /** What a recovery probe asks where a message is not the way: 200 shows that login and network work, and says nothing of limits. */
  probe?(account: Account): ProbeRequest
  /** Absent: the platform says nothing of limits. */
  limits?: LimitReports
  /** Accounts have access tokens that end: a 401 is worth one renewal and one more try. */
  renewsTokens: boolean
  /** What opens an account: an API key, or a login (an access token is a login without a renewal). */
  opensWith: 'api_key' | 'login'
  /** Accounts take no part until an administrator has read a notice and switched the platform on. */
  isOptIn: boolean
}

/** The platforms by name; undefined: named, but not served yet. */
export type Platforms = Readonly<Record<PlatformName, Platform | undefined>>

/** What of a client's request goes up beside its body. */
export interface ClientRequest {
  /** A path of ours: `/v1/messages`, `/v1/messages/count_tokens`, `/v1/chat/completions`, `/v1/responses`. */
  path: string
  /** '' or `?…`. */
  query: string
  /** Name, value, name, value … of the headers that may go up, as they came; no credentials. */
  headers: readonly string[]
  /** The body goes up without its `tags`, and so does what belongs to them. */
  dropTags: boolean
}

/** Method, path and headers (name, value, name, value …) without what the transport sets itself: host, connection, content-length. */
export interface RequestHead {
  method: 'POST'
  path: string
  headers: string[]
}

/** One probe request to an account's upstream. The main thread builds it, because it has the credentials; a worker may send it. */
export interface ProbeRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body: string | null
}

/** How responses of a platform report an account's limit gauges. */
export interface LimitReports {
  /** Prefix of those headers, in lower case. */
  prefix: string
  /** From those headers of any response, names in lower case. */
  ofHeaders(headers: ReadonlyMap<string, string>, nowMs: number): GaugeReading[]
  /** From the body of the response to `probe`. */
  ofProbe(body: Uint8Array): GaugeReading[]
}
