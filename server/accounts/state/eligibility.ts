import { fitsPattern } from '../../model-patterns.ts'
import type { Account } from '../account.ts'
import { type AccountState, noModels, type StateKind } from './state.ts'

/** Whether a request for this model may go there now. `isLast`: no other account can; then a running half-open request does not keep it out. */
export function isEligible(state: AccountState, model: string, nowMs: number, isLast = false): boolean {
  if (state.kind !== 'ready' && !(isLast && state.kind === 'recovering')) {
    if (state.untilMs === null || state.untilMs > nowMs) return false
  }
  return state.models === noModels || modelUntilMs(state, model) <= nowMs
}

/** A gauge older than this says nothing of now. */
const gaugeLifeMs = 2 * 3_600_000

/** Until when the account takes no new sessions, because a window is used up as far as its owner allows; 0: it takes them. */
export function fullUntilMs({ live, maxUsedPpm }: Pick<Account, 'live' | 'maxUsedPpm'>, nowMs: number): number {
  let untilMs = 0
  if (!live.gauges) return untilMs
  for (const window in maxUsedPpm) {
    const gauge = live.gauges.get(window)?.gauge
    if (!gauge || gauge.usedPpm === null || gauge.usedPpm < maxUsedPpm[window]!) continue
    const endMs = Math.min(gauge.resetMs ?? Number.POSITIVE_INFINITY, gauge.atMs + gaugeLifeMs)
    if (endMs > nowMs) untilMs = Math.max(untilMs, endMs)
  }
  return untilMs
}

/** True when the next request to it is the half-open one: it ends the cooldown or begins another. */
export function isHalfOpen(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): boolean {
  return (
    (state.kind === 'cooling_down' || state.kind === 'recovering') && state.untilMs !== null && state.untilMs <= nowMs
  )
}

/** The state as of now: a limit whose end has come is over, and a cooldown whose end has come is half-open. */
export function kindAt(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): StateKind {
  if (isOver(state, nowMs)) return 'ready'
  return isHalfOpen(state, nowMs) ? 'recovering' : state.kind
}

/** True when the account as a whole is not ready: what a probe may bring back. */
export function isOut(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): boolean {
  return kindAt(state, nowMs) !== 'ready'
}

/** The models, and patterns of families, that cool down now while the account serves others. */
export function modelsCoolingDown(state: AccountState, nowMs: number): string[] {
  if (state.models === noModels) return []
  return Object.keys(state.models).filter((name) => state.models[name]!.untilMs > nowMs)
}

/** When the next probe is due of the account (`model` ''), or of a model that cools down there; null: none is planned. */
export function plannedProbeMs(state: AccountState, model: string): number | null {
  return model === '' ? state.nextProbeAtMs : (state.models[model]?.nextProbeAtMs ?? null)
}

/** Cooldowns whose time is over and that nobody has ended yet: its own, and those of models. */
export function countOver(state: AccountState, nowMs: number): number {
  const models = Object.values(state.models).filter(({ untilMs }) => untilMs <= nowMs).length
  return models + (isOver(state, nowMs) ? 1 : 0)
}

/** What has to come true before it is back: that its upstream works, its limit or money, or its login; null when it is not out. */
export function waitsFor({ kind }: Pick<AccountState, 'kind'>): 'upstream' | 'limit' | 'login' | null {
  if (kind === 'ready') return null
  if (kind === 'cooling_down' || kind === 'recovering') return 'upstream'
  return kind === 'reauth_required' ? 'login' : 'limit'
}

/** Cooldowns in a row: the exponent of back-offs. */
export const cooldownsOf = ({ cooldowns }: AccountState): number => cooldowns

/** When it may serve this model again; 0 when it may already, or a half-open request decides any moment; null when only a person can tell. */
export function returnsAtMs(state: AccountState, model: string): number | null {
  if (state.kind !== 'ready' && state.untilMs === null) return null
  return Math.max(state.kind === 'recovering' ? 0 : (state.untilMs ?? 0), modelUntilMs(state, model))
}

/** True for a limit or missing credit whose date has come. A cooldown of the circuit breaker ends by a request, not by the clock. */
export function isOver(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): boolean {
  return (
    (state.kind === 'rate_limited' || state.kind === 'out_of_credit') &&
    state.untilMs !== null &&
    state.untilMs <= nowMs
  )
}

function modelUntilMs(state: AccountState, model: string): number {
  let untilMs = 0
  for (const name in state.models) {
    const cooldown = state.models[name]!
    if (cooldown.untilMs > untilMs && (name === model || (name.includes('*') && fitsPattern(name, model))))
      untilMs = cooldown.untilMs
  }
  return untilMs
}
