import type { AccountEvent, AccountState, StateKind } from './state.ts'

/** Who brought the change about. `time`: nobody, its end came. */
export type CauseBy = 'request' | 'probe' | 'rule' | 'person' | 'time'

/** What the upstream sent, as far as it may be kept: identifiers, and text only where the account is at fault. */
export interface Evidence {
  /** 0: there was no response. */
  status: number
  errorType: string
  code: string
  /** At most 200 characters, redacted; '' where the response could quote a prompt. */
  message: string
}

export interface Cause {
  by: CauseBy
  /** `req_…` of the request that brought it about; '' when none did. */
  requestId: string
  evidence: Evidence | null
}

/** One step of an account's timeline. */
export interface Transition {
  atMs: number
  from: StateKind
  to: StateKind
  /** '' for the whole account, else the model or the pattern of a family that cools down or does so no more. */
  model: string
  untilMs: number | null
  nextProbeAtMs: number | null
  reason: string
  cause: Cause
}

/** The steps between two states; none when only failures were counted. */
export function transitionsOf(
  before: AccountState,
  after: AccountState,
  event: AccountEvent,
  cause: Cause,
  atMs: number,
): Transition[] {
  const steps: Transition[] = []
  // A request that succeeds does not end a limit: the clock did.
  const isByTime = event.kind === 'elapsed' || (event.kind === 'answered' && hasEnd(before) && before.untilMs! <= atMs)
  const why = isByTime ? { ...cause, by: 'time' as const } : cause
  if (before.kind !== after.kind || before.untilMs !== after.untilMs) {
    const reason = after.kind === 'ready' ? (returnReasons[event.kind] ?? '') : after.reason
    steps.push({
      atMs,
      from: before.kind,
      to: after.kind,
      model: '',
      untilMs: after.untilMs,
      nextProbeAtMs: after.kind === 'ready' ? null : after.nextProbeAtMs,
      reason,
      cause: why,
    })
  }
  if (before.models === after.models) return steps
  for (const [model, cooldown] of Object.entries(after.models)) {
    const known = before.models[model]
    if (known?.untilMs === cooldown.untilMs) continue
    const from = known && known.untilMs > atMs ? 'rate_limited' : 'ready'
    steps.push({
      atMs,
      from,
      to: 'rate_limited',
      model,
      untilMs: cooldown.untilMs,
      nextProbeAtMs: cooldown.nextProbeAtMs ?? null,
      reason: cooldown.reason,
      cause: why,
    })
  }
  for (const [model, cooldown] of Object.entries(before.models)) {
    if (after.models[model] !== undefined) continue
    const isOver = cooldown.untilMs <= atMs
    const over = isOver ? { ...cause, by: 'time' as const } : cause
    const reason = isOver ? returnReasons.elapsed : (returnReasons[event.kind] ?? '')
    steps.push({
      atMs,
      from: 'rate_limited',
      to: 'ready',
      model,
      untilMs: null,
      nextProbeAtMs: null,
      reason,
      cause: over,
    })
  }
  return steps
}

const hasEnd = (state: AccountState): boolean =>
  (state.kind === 'rate_limited' || state.kind === 'out_of_credit') && state.untilMs !== null

/** Why an account is back, by what happened. */
const returnReasons = {
  answered: 'answered again',
  recovered: 'a probe was answered',
  elapsed: 'its time was over',
  cleared: 'cleared by hand',
  retracted: 'the request was at fault, not the account',
  failed: 'its time was over',
} as Partial<Record<AccountEvent['kind'], string>> & { elapsed: string }
