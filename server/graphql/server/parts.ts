import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { AccountEdits } from '../../accounts/edits.ts'
import type { Gauges } from '../../accounts/gauges/gauges.ts'
import type { Logins } from '../../accounts/login/oauth-login.ts'
import type { Fault } from '../../accounts/state/state.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import type { Passwords } from '../../identity/passwords.ts'
import type { Sessions } from '../../identity/sessions.ts'
import type { Setup } from '../../identity/setup.ts'
import type { SignInTries } from '../../identity/sign-in-tries.ts'
import type { Users } from '../../identity/users.ts'
import type { Keys } from '../../keys/keys.ts'
import type { Reratings } from '../../ledger/reratings.ts'
import type { LiveHub } from '../../live/hub.ts'
import type { Log } from '../../log.ts'
import type { Prices } from '../../prices/open-prices.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Statistics } from '../../statistics/statistics.ts'
import type { Database } from '../../store/database.ts'
import type { Page } from '../../store/newest-of-each.ts'
import type { Bench } from '../../upstreams/rules/rule-trial.ts'
import type { ErrorRules } from '../../upstreams/rules/rules.ts'
import type { ZoneDay } from '../../zone-days.ts'

/** A request of one message to one account, as its test button sends it. */
export type TestAccount = (account: Account, model: string) => Promise<AccountTest>
export interface AccountTest {
  ok: boolean
  latencyMs: number
  /** The upstream's status; 0 when there was no response. */
  status: number
  /** For people; at most 200 characters of the upstream's text, redacted. */
  message: string
  /** Why no response came; null when one did. */
  fault: Fault | null
}

export type RouteReason =
  | 'chosen'
  | 'disabled'
  | 'model_not_allowed'
  | 'already_tried'
  | 'not_ready'
  | 'at_max_utilization'
  | 'at_concurrency_limit'
  | 'session_elsewhere'
  | 'lower_priority'
  | 'not_drawn'
  | 'format_unfit'

/** One choice of an account, as the relay made it or would make it. */
export interface RouteDecision {
  atMs: number
  apiKeyId: number
  model: string
  candidates: { accountId: number; reason: RouteReason; untilMs: number | null }[]
}

/** Traces of requests that this process still has in memory, and a simulation of one. */
export interface Routes {
  traceOf: (requestId: string) => RouteDecision[]
  simulate: (key: { id: number; groupId: number }, model: string) => RouteDecision
}

/** A job as people see it. */
export interface JobInfo {
  name: string
  everyMs: number
  nextAtMs: number | null
  last: JobRun | null
}

export interface JobRun {
  startedAtMs: number | bigint
  durationMs: number
  outcome: string
  message: string
  /** '' where only the message says it. */
  code: string
  /** JSON of numbers by name. */
  counts: string
}

export type RunRow = JobRun & { id: bigint }

/** How a recovery probe went. */
export interface ProbeOutcome {
  ok: boolean
  status: number
  startedMs: number
  latencyMs: number
  costNano: number
  words: { code: string; place: string; message: string }
}

export interface ProbeRow {
  id: bigint
  /** '' for the account itself. */
  model: string
  startedAtMs: bigint
  durationMs: number
  outcome: string
  status: number
  message: string
  /** '' where only the message says it. */
  code: string
  place: string
  costNano: bigint
}

/** The jobs, and recovery probes on demand. */
export interface Jobs {
  list: () => Promise<JobInfo[]>
  /** False when it runs already. */
  runNow: (name: string) => Promise<boolean>
  /** `model`: the one that is cooling down there; '' for the account itself. */
  probeNow: (account: Account, model: string) => Promise<ProbeOutcome>
  /** Keeps what a test of an account came to. */
  noteTest: (
    accountId: number,
    test: { ok: boolean; status: number; startedAtMs: number; durationMs: number; message: string },
  ) => Promise<void>
  /** A list for each page, the newest first. */
  probesOf: (pages: readonly Page[]) => Promise<ProbeRow[][]>
  /** The same of jobs, by their names. */
  runsOf: (pages: readonly Page<string>[]) => Promise<RunRow[][]>
}

/** What the GraphQL door needs from the app. */
export interface GraphqlParts {
  database: Database
  users: Users
  passwords: Passwords
  sessions: Sessions
  signInTries: SignInTries
  setup: Setup
  accounts: Accounts
  accountEdits: AccountEdits
  /** Usage of the accounts' own limits, as upstreams reported it. */
  gauges: Pick<Gauges, 'of' | 'history'>
  /** OAuth sign-ins of claude accounts. */
  logins: Logins
  keys: Keys
  rules: ErrorRules
  prices: Prices
  reratings: Reratings
  bench: Bench
  statistics: Statistics
  live: LiveHub
  /** Tells every process that a row was changed (without an id: any of the noun); resolves when the change is in force here. */
  changed: (noun: 'account' | 'group' | 'key' | 'price' | 'rule' | 'settings', id?: number) => Promise<void>
  testAccount: TestAccount
  routes: Routes
  jobs: Jobs
  /** Password hashes being computed in this process. */
  passwordChecks: { running: number }
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** Ids that sort by time, for the rows of the audit log. */
  newId: () => RequestId
  log: Log
  version: string
  clientAddress: ClientAddress
  /** The value of ANTHROPIC_BASE_URL for clients. */
  baseUrl: () => string
  timeZone: string
  /** True when PUBLIC_URL is https: a cookie for a client that does not say how it came is then marked Secure. */
  secureCookies: boolean
}
