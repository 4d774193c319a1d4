import type { AccountState } from '../graphql/account-operations.ts'
import type { FailureCause } from './failure-text.ts'

export interface ShownState {
  word: 'OFF' | AccountState['kind']
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

/** What the tag says: the manual switch comes before the automatic state. */
export function shownState(
  state: Pick<AccountState, 'kind' | 'until' | 'reason' | 'failure'>,
  enabled: boolean,
): ShownState {
  if (!enabled) return { word: 'OFF', theme: 'default', reason: '', failure: undefined, until: undefined }
  const rests = state.kind !== 'READY'
  return {
    word: state.kind,
    theme: stateThemes[state.kind],
    reason: rests ? state.reason : '',
    failure: rests ? (state.failure ?? undefined) : undefined,
    until: rests ? (state.until ?? undefined) : undefined,
  }
}
