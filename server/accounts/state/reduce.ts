import { isHalfOpen, isOver } from './eligibility.ts'
import {
  type AccountEvent,
  type AccountState,
  type ModelCooldown,
  noModels,
  type Retraction,
  readyState,
  type StatePolicy,
} from './state.ts'

/** A limit without an end: half a minute, doubled each time. */
const firstLimitMs = 30_000
const maxLimitMs = 300_000

/** More models than this cool down one by one only where somebody makes their names up. */
const maxModelCooldowns = 50

const defaultPolicy: StatePolicy = {
  failures: 3,
  windowMs: 60_000,
  firstCooldownMs: 10_000,
  maxCooldownMs: 300_000,
  halfOpenMs: 120_000,
}

/**
 * The state after an event. `chance` is in [0, 1) and jitters back-offs by up to a fifth. The same object means: no change.
 * Bad news never brings a return forward.
 */
export function reduceState(
  state: AccountState,
  event: AccountEvent,
  nowMs: number,
  chance: number,
  policy: StatePolicy = defaultPolicy,
): AccountState {
  switch (event.kind) {
    case 'cleared':
      return state === readyState ? state : { ...readyState, sinceMs: nowMs }
    case 'answered':
      return reduceAnswer(state, nowMs)
    case 'recovered':
      return reduceRecovery(state, event, nowMs)
    case 'rate_limited':
      return reduceLimit(state, event, nowMs, chance)
    case 'forbidden':
      return reduceForbidden(state, event, nowMs)
    case 'failed':
      return reduceFailure(state, event, nowMs, chance, policy)
    case 'login_needed':
      if (state.kind === 'reauth_required') return state
      return { ...state, kind: 'reauth_required', untilMs: null, sinceMs: nowMs, reason: event.reason, fault: null }
    case 'out_of_credit':
      return withCooldown(state, 'out_of_credit', event, nowMs)
    case 'half_open_request':
      if (!isHalfOpen(state, nowMs)) return state
      return { ...state, kind: 'recovering', untilMs: nowMs + policy.halfOpenMs, sinceMs: nowMs }
    case 'half_open_released':
      return state.kind === 'recovering' ? { ...state, kind: 'cooling_down', untilMs: nowMs, sinceMs: nowMs } : state
    case 'half_opened': {
      if (state.kind === 'ready' || state.untilMs !== null) return state
      const cooldowns = state.cooldowns + 1
      return { ...state, kind: 'recovering', untilMs: nowMs, sinceMs: nowMs, nextProbeAtMs: null, cooldowns }
    }
    case 'retracted':
      return withoutPlan(reduceRetraction(state, event, nowMs))
    case 'elapsed': {
      const models = withoutExpired(state.models, nowMs)
      // The back-off goes on growing until a request has been served.
      if (isOver(state, nowMs)) return { ...readyState, sinceMs: nowMs, models, limits: state.limits }
      return models === state.models ? state : { ...state, models }
    }
    case 'probe_planned':
      if (event.model !== undefined) return withModelProbe(state, event.model, event.atMs)
      return state.nextProbeAtMs === event.atMs ? state : { ...state, nextProbeAtMs: event.atMs }
  }
}

function reduceAnswer(state: AccountState, nowMs: number): AccountState {
  // The usual case.
  if (state === readyState) return state
  const models = withoutExpired(state.models, nowMs)
  // A request that was already on its way says nothing about a limit that came after it.
  if (state.kind !== 'ready' && state.kind !== 'cooling_down' && state.kind !== 'recovering' && !isOver(state, nowMs))
    return state
  if (
    state.kind === 'ready' &&
    state.failures.count === 0 &&
    state.cooldowns === 0 &&
    state.limits === 0 &&
    models === state.models
  )
    return state
  return { ...readyState, sinceMs: state.kind === 'ready' ? state.sinceMs : nowMs, models }
}

function reduceRecovery(
  state: AccountState,
  { startedMs, model }: { startedMs: number; model?: string },
  nowMs: number,
): AccountState {
  if (model !== undefined) return (state.models[model]?.sinceMs ?? 0) > startedMs ? state : withoutModel(state, model)
  if (state.kind === 'ready' || state.sinceMs > startedMs) return state
  return { ...readyState, sinceMs: nowMs, models: withoutExpired(state.models, nowMs) }
}

function reduceLimit(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'rate_limited' }>,
  nowMs: number,
  chance: number,
): AccountState {
  const { reason } = event
  const backOffMs = Math.min(firstLimitMs * 2 ** state.limits, maxLimitMs) * (1 + chance / 5)
  const untilMs = event.untilMs ?? nowMs + Math.round(backOffMs)
  if (event.model !== undefined) return withModelCooldown(state, event.model, { untilMs, reason }, nowMs)
  const after = withCooldown(state, 'rate_limited', { untilMs, reason }, nowMs)
  return after === state || event.untilMs !== null ? after : { ...after, limits: state.limits + 1 }
}

function reduceForbidden(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'forbidden' }>,
  nowMs: number,
): AccountState {
  for (const [model, cooldown] of Object.entries(withoutExpired(state.models, nowMs))) {
    if (cooldown.forbiddenTo === undefined || model === event.model || cooldown.forbiddenTo === event.keyId) continue
    if (state.kind === 'reauth_required') return state
    return { ...state, kind: 'reauth_required', untilMs: null, sinceMs: nowMs, reason: event.reason, fault: null }
  }
  const { untilMs, reason, keyId } = event
  return withModelCooldown(state, event.model, { untilMs, reason, forbiddenTo: keyId }, nowMs)
}

function reduceFailure(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'failed' }>,
  nowMs: number,
  chance: number,
  policy: StatePolicy,
): AccountState {
  const isRecovering = state.kind === 'recovering' || isHalfOpen(state, nowMs)
  // Failures of requests that were already on their way do not prolong a cooldown.
  if (state.kind !== 'ready' && !isRecovering && !isOver(state, nowMs)) return state
  const fresh = nowMs - state.failures.firstMs > policy.windowMs
  const failures = fresh
    ? { count: 1, firstMs: nowMs }
    : { count: state.failures.count + 1, firstMs: state.failures.firstMs }
  const { reason, fault = null } = event
  if (!isRecovering && failures.count < policy.failures) {
    return {
      ...state,
      kind: 'ready',
      untilMs: null,
      sinceMs: isOver(state, nowMs) ? nowMs : state.sinceMs,
      reason,
      fault,
      failures,
    }
  }
  // The last account cools down only after a half-open request failed too.
  if (!isRecovering && event.isLast === true)
    return { ...state, kind: 'cooling_down', untilMs: nowMs, sinceMs: nowMs, reason, fault, failures }
  const cooldownMs = Math.min(policy.firstCooldownMs * 2 ** state.cooldowns, policy.maxCooldownMs) * (1 + chance / 5)
  const untilMs = nowMs + Math.round(cooldownMs)
  return {
    ...state,
    kind: 'cooling_down',
    untilMs,
    sinceMs: nowMs,
    reason,
    fault,
    failures,
    cooldowns: state.cooldowns + 1,
  }
}

/** The whole account cools down; a longer cooldown stays as it is. */
function withCooldown(
  state: AccountState,
  kind: 'rate_limited' | 'out_of_credit',
  { untilMs, reason }: { untilMs: number | null; reason: string },
  nowMs: number,
): AccountState {
  if (state.kind === 'reauth_required') return state
  const isCoolingDown =
    state.kind !== 'ready' && state.kind !== 'recovering' && (state.untilMs === null || state.untilMs > nowMs)
  if (isCoolingDown && (state.untilMs === null || (untilMs !== null && state.untilMs >= untilMs))) {
    // Missing credit says more than a limit, also when it ends sooner.
    if (kind !== 'out_of_credit' || state.kind === 'out_of_credit') return state
    return { ...state, kind, sinceMs: nowMs, reason, fault: null }
  }
  if (kind === 'rate_limited' && state.kind === 'out_of_credit' && isCoolingDown)
    return { ...state, untilMs, sinceMs: nowMs }
  return { ...state, kind, untilMs, sinceMs: nowMs, reason, fault: null }
}

function withModelCooldown(state: AccountState, model: string, cooldown: ModelCooldown, nowMs: number): AccountState {
  const known = state.models[model]
  if (known && known.untilMs >= cooldown.untilMs) return state
  const { untilMs, reason, forbiddenTo } = cooldown
  const planned = known && known.untilMs > nowMs ? known.nextProbeAtMs : undefined
  const entry: ModelCooldown = {
    untilMs,
    reason,
    sinceMs: nowMs,
    ...(planned !== undefined && { nextProbeAtMs: planned }),
    ...(forbiddenTo !== undefined && { forbiddenTo }),
  }
  const cooldowns = Object.entries(withoutExpired(state.models, nowMs)).filter(([name]) => name !== model)
  if (cooldowns.length >= maxModelCooldowns) cooldowns.sort(([, one], [, other]) => other.untilMs - one.untilMs).pop()
  return { ...state, models: Object.fromEntries([...cooldowns, [model, entry]]) }
}

function withModelProbe(state: AccountState, model: string, atMs: number | null): AccountState {
  const cooldown = state.models[model]
  if (!cooldown || (cooldown.nextProbeAtMs ?? null) === atMs) return state
  const { nextProbeAtMs: _, ...withoutPlan } = cooldown
  const planned = atMs === null ? withoutPlan : { ...withoutPlan, nextProbeAtMs: atMs }
  return { ...state, models: { ...state.models, [model]: planned } }
}

function withoutModel(state: AccountState, model: string): AccountState {
  if (state.models[model] === undefined) return state
  const { [model]: _, ...models } = state.models
  return { ...state, models: Object.keys(models).length === 0 ? noModels : models }
}

function reduceRetraction(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'retracted' }>,
  nowMs: number,
): AccountState {
  if (event.state === undefined && event.model === undefined) return withoutFailure(state, nowMs)
  return withoutState(event.model === undefined ? state : withoutModel(state, event.model), event.state, nowMs)
}

/** A ready account is not probed. */
const withoutPlan = (state: AccountState): AccountState =>
  state.kind === 'ready' && state.nextProbeAtMs !== null ? { ...state, nextProbeAtMs: null } : state

/** One failure less; the cooldown that just began with it is taken back with it. */
function withoutFailure(state: AccountState, nowMs: number): AccountState {
  if (state.failures.count === 0) return state
  const failures = { ...state.failures, count: state.failures.count - 1 }
  if (state.kind === 'ready' && failures.count === 0) return { ...state, failures, reason: '', fault: null }
  if (state.kind === 'ready') return { ...state, failures }
  if (state.kind !== 'cooling_down') return state
  const cooldowns = Math.max(0, state.cooldowns - 1)
  // The half-open request decided nothing: the next request takes its part.
  if (cooldowns > 0) return { ...state, untilMs: nowMs, sinceMs: nowMs, failures, cooldowns }
  return { ...state, kind: 'ready', untilMs: null, sinceMs: nowMs, failures, cooldowns }
}

function withoutState(state: AccountState, made: Retraction | undefined, nowMs: number): AccountState {
  if (made === undefined || state.kind !== made.kind || state.untilMs !== made.untilMs) return state
  return { ...state, ...made.before, sinceMs: nowMs }
}

/** What takes back a change of the whole account's state; null when there was none. */
export function retractionOf(before: AccountState, after: AccountState): Retraction | null {
  if (before.kind === after.kind && before.untilMs === after.untilMs) return null
  const { kind, untilMs, reason, limits } = before
  // The half-open request has ended by then and decided nothing: the next request takes its part.
  const state = kind === 'recovering' ? ({ kind: 'cooling_down', untilMs: 0 } as const) : { kind, untilMs }
  return { kind: after.kind, untilMs: after.untilMs, before: { ...state, reason, limits } }
}

function withoutExpired(models: AccountState['models'], nowMs: number): AccountState['models'] {
  const live = Object.entries(models).filter(([, cooldown]) => cooldown.untilMs > nowMs)
  if (live.length === 0) return noModels
  return live.length === Object.keys(models).length ? models : Object.fromEntries(live)
}
