import { type AccountState, noModels, readyState } from './state.ts'

const maxTextLength = 2000

/** The state for its column of 2000 characters: where many models cool down, those with the longest time left are kept. */
export function stateText(state: AccountState): string {
  let text = JSON.stringify(state)
  if (text.length <= maxTextLength) return text
  const cooldowns = Object.entries(state.models).sort(([, one], [, other]) => other.untilMs - one.untilMs)
  while (text.length > maxTextLength && cooldowns.pop())
    text = JSON.stringify({ ...state, models: Object.fromEntries(cooldowns) })
  return text
}

/** The state as a row holds it; what is missing is as in a ready one. A half-open request does not outlive its process. */
export function storedState(text: string): AccountState {
  const stored = JSON.parse(text) as Partial<AccountState>
  if (stored.kind === undefined) return readyState
  const models = Object.keys(stored.models ?? {}).length === 0 ? noModels : stored.models!
  const state = { ...readyState, ...stored, models }
  return state.kind === 'recovering' ? { ...state, kind: 'cooling_down', untilMs: 0 } : state
}
