import type { Account } from '../accounts/account.ts'
import type { GaugeReading } from '../accounts/gauges/gauges.ts'
import type { AccountEvent } from '../accounts/state/state.ts'
import type { Evidence } from '../accounts/state/transitions.ts'
import type { VerdictRow } from './classify.ts'
import type { ProbeRequest } from './probe.ts'
import type { SaidError } from './upstream-error.ts'

/** An upstream's answer that is not a success, as far as it was read. */
export interface UpstreamRefusal {
  status: number
  /** All headers, names in lower case. */
  headers: Map<string, string>
  body: Buffer
}

/**
 * What an answer means. `caller`: the request's own fault, passed on as it came, no account changes. `limited`, `refused`,
 * `failing`: the account's fault, the next one is tried.
 */
export interface Verdict {
  kind: 'caller' | 'limited' | 'refused' | 'failing'
  errorType: string
  /** What happened to the account, if anything. */
  event?: AccountEvent
  /** For the account's timeline. */
  evidence: Evidence
  /** Name of the administrators' rule that decided; absent: the built-in table did. */
  rule?: string
  /** True when the upstream's own words go to the client if no other account can serve (an unknown model, say). */
  passIfLast?: boolean
  /** True when a person has to mend the account: the client's error is 503, not 529. */
  misconfigured?: boolean
  /** Two accounts whose verdicts have the same text here met a fault of the request. Holds the upstream's words: never shown. */
  sameAs?: string
}

/** How a platform tells in passing what is left of an account's own limits. */
export interface LimitReports {
  /** In lower case: what the headers that tell it begin with. Answers without such headers cost nothing more. */
  prefix: string
  /** From those headers of any answer, names in lower case. */
  ofHeaders(headers: ReadonlyMap<string, string>): GaugeReading[]
  /** From the body of the answer to `probe`. */
  ofProbe(body: Uint8Array): GaugeReading[]
}

/** A dialect: how one platform is spoken to, and what its answers mean where no rule of an administrator says otherwise. */
export interface Dialect {
  /** Path and query on the account's origin for a path of ours (`/v1/messages`, `/v1/messages/count_tokens`). */
  address(account: Account, path: string, query: string): string
  verdicts: readonly VerdictRow[]
  /** True when the account is the vendor's own API: only then do `tags` travel. */
  isFirstParty(account: Account): boolean
  /** What a recovery probe asks where a message is not the way: 200 tells that login and network hold, and nothing of limits. */
  probe?(account: Account): ProbeRequest
  /** Absent: the platform tells nothing of limits. */
  limits?: LimitReports
  /** A beta that every request has to name, beside those that the client names. */
  beta?: string
  /** True when accounts open it with access tokens that end: a 401 is worth one renewal and one more try. */
  renews?: true
}

/** A dialect and the rules of administrators: how one platform is spoken to and understood. */
export interface Upstream extends Dialect {
  judge(refusal: UpstreamRefusal, model: string, nowMs: number): Verdict
  /** What an error event in a stream, before its content, says. */
  judgeEvent(error: SaidError, model: string, nowMs: number): Verdict
}
