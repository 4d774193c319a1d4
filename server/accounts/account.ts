import type { ModelList, ModelMapping } from '../model-patterns.ts'
import type { Tokens } from './credential.ts'
import type { FormatFlagChanges, FormatFlags } from './format-flags.ts'
import type { Gauge } from './gauges/gauge.ts'
import type { AccountState } from './state/state.ts'

export type Platform = 'claude' | 'console' | 'openai' | 'codex'
export type AuthHeader = 'bearer' | 'x-api-key' | 'api-key'

/** How long an attempt waits, in milliseconds; null: as long as the deployment says. */
export interface AccountTimers {
  connectMs: number | null
  firstByteMs: number | null
  idleMs: number | null
}

/** The proxy on the way to an upstream. */
export interface Via {
  /** The account's own proxy or the deployment's; null: none. */
  proxy: string | null
  /** An administrator chose it: it may lie in a private network. */
  proxyIsTrusted: boolean
}

/** An account as the relay needs it: a snapshot, replaced as a whole when somebody edits it. */
export interface Account extends Via {
  id: number
  name: string
  platform: Platform
  /** scheme://host:port */
  origin: string
  /** Path before /v1, '' or '/…' without a trailing slash. */
  basePath: string
  authHeader: AuthHeader
  /** An API key or an access token. Plain in memory only; sealed at rest. */
  secret: string
  /** End of the access token, epoch milliseconds; Infinity for what does not end by a clock. */
  expiresAtMs: number
  /** From when it is renewed beside the requests that use it; Infinity when it cannot be. */
  dueAtMs: number
  /** From when requests wait for its renewal; Infinity when it cannot be. */
  staleAtMs: number
  /** An administrator made or approved it: networks that administrators granted may be reached. */
  isApproved: boolean
  /** The groups that it serves: one at least. */
  groupIds: readonly number[]
  /** 0: none. */
  ownerId: number
  priority: number
  weight: number
  /** Requests in flight at once; null: as many as come. */
  concurrency: number | null
  models: ModelList
  mapping: ModelMapping
  /** What its upstream takes of translated requests. Replaced when something is learnt. */
  flags: FormatFlags
  timers: AccountTimers
  /** Headers that go up with every request: name, value, name, value … in place of the client's own of that name. */
  extraHeaders: readonly string[]
  /** Gauge window → millionths of its limit from which the account takes no new sessions. */
  maxUsedPpm: Readonly<Record<string, number>>
  /** It takes part: its own switch is on, and those of its platform and of a group. Among the members of a group: of this group. */
  enabled: boolean
  /** Its own switch alone. */
  switchedOn: boolean
  /** Shared by all snapshots of this account. */
  live: AccountLive
}

export interface AccountLive {
  state: AccountState
  /** Upstream calls under way in this process. */
  inFlight: number
  /** By window; absent: none was ever reported. */
  gauges?: ReadonlyMap<string, { gauge: Gauge }>
}

export interface Group {
  id: number
  name: string
  enabled: boolean
  /** A conversation that was moved to a larger priority number returns with its next user turn. */
  returnsToPriority: boolean
  /** Reasoning that another account signed is cut from the requests of a conversation that has moved. */
  stripForeignReasoning: boolean
}

/** A change of an account by a person or a provisioning file. Absent fields stay as they are. */
export interface AccountDraft {
  name: string
  platform?: Platform
  /** New accounts of a platform with a single vendor need none. */
  url?: string
  authHeader?: AuthHeader
  secret?: string
  /** In place of a secret: an access token, with what renews it. */
  login?: Tokens
  /** What the login's owner pays for, for people. */
  plan?: string
  /** 'none': no proxy; null: the deployment's default. */
  proxy?: string | null
  /** At least one. */
  groupIds?: readonly number[]
  priority?: number
  weight?: number
  concurrency?: number | null
  models?: readonly string[]
  modelMapping?: Readonly<Record<string, string>>
  /** In place of the old ones, learnt ones too. */
  flags?: FormatFlagChanges
  connectTimeoutSeconds?: number | null
  firstByteTimeoutSeconds?: number | null
  idleTimeoutSeconds?: number | null
  /** Name → value; all of them. */
  extraHeaders?: Readonly<Record<string, string>>
  /** Gauge window → share, 0 to 1. */
  maxUtilization?: Readonly<Record<string, number>>
  enabled?: boolean
}

/** The address of a platform that has one vendor only. */
export const vendorUrls: Readonly<Partial<Record<Platform, string>>> = { claude: 'https://api.anthropic.com' }
