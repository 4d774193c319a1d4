/**
 * The automatic state of an account: a fold over what happened to it. Pure: time and chance are arguments.
 * The manual switch (`enabled`) is another matter and is never touched here.
 */
export interface Rest {
  untilMs: number
  reason: string
}

export interface AccountState {
  kind: 'ready' | 'limited' | 'cooling' | 'needs_login' | 'unfunded'
  /** When it returns by itself; null when it is ready or a person must act. */
  untilMs: number | null
  /** One line for people: why it rests, or what failed last; '' when nothing did. */
  reason: string
  /** Failures since the last answer: first and last, and how many. */
  failures: { count: number; firstMs: number }
  /** Coolings in a row: the exponent of the back-off. */
  coolings: number
  /** Rests of single models (as requested), beside the state of the whole account. */
  models: Readonly<Record<string, Rest>>
}

export type AccountEvent =
  | { kind: 'answered' }
  | { kind: 'limited'; untilMs: number; reason: string; model?: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'login_needed'; reason: string }
  | { kind: 'unfunded'; untilMs: number | null; reason: string }
  | { kind: 'cleared' }

export const readyState: AccountState = Object.freeze({
  kind: 'ready',
  untilMs: null,
  reason: '',
  failures: { count: 0, firstMs: 0 },
  coolings: 0,
  models: {},
})

export interface StatePolicy {
  /** This many failures within the window make an account cool. */
  failures: number
  windowMs: number
  /** First cooling; each further one doubles it up to the longest. */
  coolingMs: number
  longestCoolingMs: number
}

const defaultPolicy: StatePolicy = {
  failures: 3,
  windowMs: 60_000,
  coolingMs: 10_000,
  longestCoolingMs: 300_000,
}

/** The state after an event. `chance` is in [0, 1) and jitters back-offs by up to a fifth. The same object means: no change. */
export function fold(
  state: AccountState,
  event: AccountEvent,
  nowMs: number,
  chance: number,
  policy: StatePolicy = defaultPolicy,
): AccountState {
  switch (event.kind) {
    case 'cleared':
      return readyState
    case 'answered': {
      const models = withoutExpired(state.models, nowMs)
      const resting = state.kind !== 'ready' && !(state.untilMs !== null && state.untilMs <= nowMs)
      // A request that was already on its way says nothing about a limit that came after it.
      if (resting && state.kind !== 'cooling') return state
      if (state === readyState) return state
      if (state.kind === 'ready' && state.failures.count === 0 && state.coolings === 0 && models === state.models)
        return state
      return { ...readyState, models }
    }
    case 'limited': {
      if (event.model !== undefined) {
        const known = state.models[event.model]
        if (known && known.untilMs >= event.untilMs) return state
        return {
          ...state,
          models: {
            ...withoutExpired(state.models, nowMs),
            [event.model]: { untilMs: event.untilMs, reason: event.reason },
          },
        }
      }
      if (state.kind === 'needs_login' || state.kind === 'unfunded') return state
      // A second limit never shortens the first.
      if (state.kind === 'limited' && (state.untilMs ?? 0) >= event.untilMs) return state
      return { ...state, kind: 'limited', untilMs: event.untilMs, reason: event.reason }
    }
    case 'failed': {
      if (state.kind !== 'ready' && !(state.untilMs !== null && state.untilMs <= nowMs)) return state
      const fresh = nowMs - state.failures.firstMs > policy.windowMs
      const failures = fresh
        ? { count: 1, firstMs: nowMs }
        : { count: state.failures.count + 1, firstMs: state.failures.firstMs }
      // An account just back from a cooling is on trial: one more failure sends it back.
      if (failures.count < policy.failures && state.kind !== 'cooling')
        return { ...state, kind: 'ready', untilMs: null, reason: event.reason, failures }
      const restMs = Math.min(policy.coolingMs * 2 ** state.coolings, policy.longestCoolingMs) * (1 + chance / 5)
      return {
        ...state,
        kind: 'cooling',
        untilMs: nowMs + Math.round(restMs),
        reason: event.reason,
        failures,
        coolings: state.coolings + 1,
      }
    }
    case 'login_needed':
      return { ...state, kind: 'needs_login', untilMs: null, reason: event.reason }
    case 'unfunded':
      return { ...state, kind: 'unfunded', untilMs: event.untilMs, reason: event.reason }
  }
}

/** The one answer to "may a request for this model go there now". */
export function isEligible(state: AccountState, model: string, nowMs: number): boolean {
  if (state.kind !== 'ready' && (state.untilMs === null || state.untilMs > nowMs)) return false
  const rest = state.models[model]
  return rest === undefined || rest.untilMs <= nowMs
}

/** When it may serve this model again; null when only a person can tell. */
export function returnsAtMs(state: AccountState, model: string): number | null {
  if (state.kind !== 'ready' && state.untilMs === null) return null
  return Math.max(state.untilMs ?? 0, state.models[model]?.untilMs ?? 0)
}

function withoutExpired(models: AccountState['models'], nowMs: number): AccountState['models'] {
  const live = Object.entries(models).filter(([, rest]) => rest.untilMs > nowMs)
  return live.length === Object.keys(models).length ? models : Object.fromEntries(live)
}
