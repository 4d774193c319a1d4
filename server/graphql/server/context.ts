import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { AccountEdits } from '../../accounts/edits.ts'
import type { Gauges } from '../../accounts/gauges/gauges.ts'
import type { Logins } from '../../accounts/login/oauth-login.ts'
import type { Fault } from '../../accounts/state/state.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import type { Actor } from '../../identity/audit.ts'
import type { Sessions, Viewer } from '../../identity/sessions.ts'
import type { Setup } from '../../identity/setup.ts'
import type { SignInTries } from '../../identity/sign-in-tries.ts'
import type { Users } from '../../identity/users.ts'
import type { Keys } from '../../keys/keys.ts'
import type { LiveHub } from '../../live/hub.ts'
import type { Log } from '../../log.ts'
import type { RequestId } from '../../request-ids.ts'
import type { Statistics } from '../../statistics/statistics.ts'
import type { Database } from '../../store/database.ts'
import type { Bench } from '../../upstreams/rules/bench.ts'
import type { ErrorRules } from '../../upstreams/rules/rules.ts'
import type { ZoneDay } from '../../zone-days.ts'
import { type Batches, createBatches } from './batches.ts'

/** A request of one message to one account, as its test button sends it. */
export type TestAccount = (account: Account, model: string) => Promise<AccountTest>
export interface AccountTest {
  ok: boolean
  latencyMs: number
  /** Upstream's status; 0 when there was no answer. */
  status: number
  /** For people; of the upstream's own words at most 200 characters, redacted. */
  message: string
  /** Why no answer came; null when one did. */
  fault: Fault | null
}

export type RouteReason =
  | 'chosen'
  | 'disabled'
  | 'model_not_allowed'
  | 'tried'
  | 'resting'
  | 'full'
  | 'sticky_elsewhere'
  | 'lower_priority'
  | 'lost_draw'

/** One choice of an account, as the relay made it or would make it. */
export interface RouteDecision {
  atMs: number
  apiKeyId: number
  model: string
  candidates: { accountId: number; reason: RouteReason; untilMs: number | null }[]
}

/** How the relay chooses: of requests in this process's memory, and of one that is only imagined. */
export interface Routes {
  traceOf: (requestId: string) => RouteDecision[]
  simulate: (key: { id: number; groupId: number }, model: string) => RouteDecision
}

/** A job as people see it. */
export interface JobInfo {
  name: string
  everyMs: number
  nextAtMs: number | null
  last: {
    startedAtMs: number
    durationMs: number
    outcome: string
    message: string
    /** '' where the message alone tells. */
    code: string
    /** JSON of numbers by name. */
    counts: string
  } | null
}

/** How a recovery probe went. */
export interface ProbeOutcome {
  ok: boolean
  status: number
  latencyMs: number
  words: { code: string; place: string; message: string }
}

export interface ProbeRow {
  /** '' for the account itself. */
  model: string
  startedAtMs: bigint
  durationMs: number
  outcome: string
  status: number
  message: string
  /** '' where the message alone tells. */
  code: string
  place: string
  costNano: bigint
}

/** What happens by itself, and on demand. */
export interface Jobs {
  list: () => Promise<JobInfo[]>
  /** False when it runs already. */
  runNow: (name: string) => Promise<boolean>
  /** `model`: the one that rests there; '' for the account itself. */
  probeNow: (account: Account, model: string) => Promise<ProbeOutcome>
  probesOf: (accountId: number, most: number) => Promise<ProbeRow[]>
}

/** What the GraphQL door stands on. */
export interface GraphqlParts {
  database: Database
  users: Users
  sessions: Sessions
  signInTries: SignInTries
  setup: Setup
  accounts: Accounts
  accountEdits: AccountEdits
  /** What vendors said of their accounts' limits. */
  gauges: Pick<Gauges, 'of' | 'history'>
  /** Sign-ins at the vendor of claude accounts. */
  logins: Logins
  keys: Keys
  rules: ErrorRules
  bench: Bench
  statistics: Statistics
  live: LiveHub
  /** Read accounts, keys, rules and settings of this process anew; resolves when the change just made is in force here. */
  reload: {
    accounts: () => Promise<void>
    keys: () => Promise<void>
    rules: () => Promise<void>
    settings: () => Promise<void>
  }
  /** Tells every process, this one too, that settings were changed. */
  settingsChanged: () => void
  testAccount: TestAccount
  routes: Routes
  jobs: Jobs
  /** Passwords being looked at in this process. */
  gate: { under: number }
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** Ids that sort by time, for the rows of the audit log. */
  newId: () => RequestId
  log: Log
  version: string
  clientAddress: ClientAddress
  /** What ANTHROPIC_BASE_URL would be. */
  baseUrl: () => string
  timeZone: string
  /** True when browsers reach us by https: the cookie is marked Secure. */
  secureCookies: boolean
}

/** What every resolver gets: who asks, and the parts. */
export interface Context {
  parts: GraphqlParts
  viewer: Viewer | null
  actor: Actor
  batches: Batches
  /** The refresh token of the request's cookie. */
  refreshToken: string | null
  /** Sets (or with null clears) the refresh cookie of the answer; without effect where there is no answer to put it on. */
  setRefreshCookie: (token: { value: string; maxAgeS: number } | null) => void
}

/** Who is asking, before anything is known of what. */
export interface Caller {
  viewer: Viewer | null
  clientIp: string
  userAgent: string
  requestId: string
  refreshToken?: string | null
  setRefreshCookie?: Context['setRefreshCookie']
}

/** The context of one operation. A socket makes one for each operation, with the viewer of its connection. */
export function createContext(parts: GraphqlParts, caller: Caller): Context {
  const { viewer, clientIp, userAgent, requestId } = caller
  return {
    parts,
    viewer,
    actor: { userId: viewer?.userId ?? 0, clientIp, userAgent, requestId },
    batches: createBatches(parts, viewer),
    refreshToken: caller.refreshToken ?? null,
    setRefreshCookie: caller.setRefreshCookie ?? (() => {}),
  }
}
