import type { AccountState } from '../graphql/account-operations.ts'
import type { FailureCause } from './failure-text.ts'

/** A switch above the account's own that keeps it out. */
export type SwitchedOffBy = 'PLATFORM_OFF' | 'GROUP_OFF'

export interface ShownState {
  word: 'OFF' | SwitchedOffBy | AccountState['kind']
  theme: 'default' | 'success' | 'warning' | 'danger'
  reason: string
  failure: FailureCause | undefined
  until: string | undefined
}

/** The colour of each state's tag. */
export const stateThemes: Record<AccountState['kind'], ShownState['theme']> = {
  READY: 'success',
  LIMITED: 'warning',
  COOLING: 'warning',
  PROBING: 'warning',
  NEEDS_LOGIN: 'danger',
  UNFUNDED: 'danger',
}

/** Why an account is back, as the server says it; what the upstream said stays in the upstream's words. */
const returnWords = {
  'answered again': 'answered',
  'a probe was answered': 'recovered',
  'its time was over': 'elapsed',
  'cleared by hand': 'cleared',
  'the request was at fault, not the account': 'retracted',
} as const

export const returnWord = (reason: string) => returnWords[reason as keyof typeof returnWords]

/** What the tag says: the manual switch comes before those above it, and all of them before the automatic state. */
export function shownState(
  state: Pick<AccountState, 'kind' | 'until' | 'reason' | 'failure'>,
  enabled: boolean,
  offBy?: SwitchedOffBy,
): ShownState {
  if (!enabled) return { word: 'OFF', theme: 'default', reason: '', failure: undefined, until: undefined }
  if (offBy) return { word: offBy, theme: 'default', reason: '', failure: undefined, until: undefined }
  const rests = state.kind !== 'READY'
  return {
    word: state.kind,
    theme: stateThemes[state.kind],
    reason: rests ? state.reason : '',
    failure: rests ? (state.failure ?? undefined) : undefined,
    until: rests ? (state.until ?? undefined) : undefined,
  }
}
