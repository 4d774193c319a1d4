import type { Account, AccountState } from '../../graphql/account-operations.ts'
import type { FailureCause } from './failure-text.ts'

/** A switch above the account's own that keeps it out. */
export type SwitchedOffBy = 'platform_off' | 'group_off'

/** The states as the pages and the documents name them, and what is shown in their place. */
export type StateName =
  | 'disabled'
  | SwitchedOffBy
  | 'untested'
  | 'ready'
  | 'rate_limited'
  | 'cooling_down'
  | 'recovering'
  | 'reauth_required'
  | 'key_rejected'
  | 'out_of_credit'

export type StateTheme = 'default' | 'primary' | 'success' | 'warning' | 'danger'

export interface ShownState {
  name: StateName
  theme: StateTheme
  reason: string
  failure: FailureCause | undefined
  until: string | undefined
}

const names: Record<AccountState['name'], StateName> = {
  READY: 'ready',
  RATE_LIMITED: 'rate_limited',
  COOLING_DOWN: 'cooling_down',
  RECOVERING: 'recovering',
  REAUTH_REQUIRED: 'reauth_required',
  OUT_OF_CREDIT: 'out_of_credit',
}

/** The automatic states, the best first. */
export const states = Object.keys(names) as AccountState['name'][]

const themes: Record<StateName, StateTheme> = {
  disabled: 'default',
  platform_off: 'default',
  group_off: 'default',
  untested: 'primary',
  ready: 'success',
  rate_limited: 'warning',
  cooling_down: 'warning',
  recovering: 'warning',
  reauth_required: 'danger',
  key_rejected: 'danger',
  out_of_credit: 'danger',
}

/** The name of a state. An account with an API key has no login: there it is the key that is rejected. */
export function stateName(name: AccountState['name'], platform: Account['platform']): StateName {
  return name === 'REAUTH_REQUIRED' && platform !== 'CLAUDE' ? 'key_rejected' : names[name]
}

export const stateTheme = (name: StateName): StateTheme => themes[name]

/** Why an account is ready again, as the server says it; an upstream's own words stay as they are. */
const recoveries = {
  'answered again': 'answered',
  'a probe was answered': 'recovered',
  'its time was over': 'elapsed',
  'cleared by hand': 'cleared',
  'the request was at fault, not the account': 'retracted',
} as const

export const recoveryOf = (reason: string) => recoveries[reason as keyof typeof recoveries]

/** What the tag says: the account's own switch comes before those above it, and all of them before the automatic state. */
export function shownState(
  {
    state,
    enabled,
    platform,
    isTested,
  }: Pick<Account, 'enabled' | 'platform' | 'isTested'> & {
    state: Pick<AccountState, 'name' | 'until' | 'reason' | 'failure'>
  },
  { offBy }: { offBy?: SwitchedOffBy | undefined } = {},
): ShownState {
  const isReady = state.name === 'READY'
  // null: that could not be read, and nothing is claimed.
  const automatic = isReady && isTested === false ? 'untested' : stateName(state.name, platform)
  const name = enabled ? (offBy ?? automatic) : 'disabled'
  const hasCause = name === automatic && !isReady
  return {
    name,
    theme: themes[name],
    reason: hasCause ? (state.reason ?? '') : '',
    failure: hasCause ? (state.failure ?? undefined) : undefined,
    until: hasCause ? (state.until ?? undefined) : undefined,
  }
}
