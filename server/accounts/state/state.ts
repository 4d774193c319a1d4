/** The automatic state of an account. The manual switch (`enabled`) is beside it and is never touched here. */
export type StateKind = 'ready' | 'rate_limited' | 'cooling_down' | 'recovering' | 'reauth_required' | 'out_of_credit'

/** Why no usable response came, for machines: a stable name, and where it was tried. `reason` is the same for people. */
export interface Fault {
  cause: string
  place: string
}

/** One model, or the models of a pattern, that this account does not serve for a while. */
export interface ModelCooldown {
  untilMs: number
  reason: string
  /** When it began or was prolonged last. */
  sinceMs?: number
  /** When a recovery probe asks for this model next; absent: none is planned. */
  nextProbeAtMs?: number
  /** With a 403: the API key whose request got it (0: a probe). Two models refused to two keys mean a lost login. */
  forbiddenTo?: number
}

export interface AccountState {
  /** `recovering`: half-open. One request is let through; others only if there is no other account. */
  kind: StateKind
  /** When it returns by itself (`recovering`: when the next half-open request may begin); null when it is ready or a person must act. */
  untilMs: number | null
  /** One line for people: why it is out, or what failed last; '' when nothing did. */
  reason: string
  /** Set when no usable response came; null where the reason is the upstream's own. */
  fault: Fault | null
  /** When its kind or its end last changed, epoch ms; 0: never. */
  sinceMs: number
  /** When its next recovery probe is due; null: none is planned. */
  nextProbeAtMs: number | null
  /** Failures since the last success: when the first was, and how many. */
  failures: { count: number; firstMs: number }
  /** Cooldowns in a row: the exponent of the back-off. */
  cooldowns: number
  /** Limits in a row that named no end. */
  limits: number
  /** Cooldowns of single models (as requested) or of families (a pattern with `*`), beside the state of the whole account. */
  models: Readonly<Record<string, ModelCooldown>>
}

export type AccountEvent =
  /** A request succeeded. Ends cooldowns of the circuit breaker; not limits, since the request may have begun before them. */
  | { kind: 'answered' }
  /** A probe that began at `startedMs` succeeded: what is older than it is over, or with `model` the cooldown of that model. */
  | { kind: 'recovered'; startedMs: number; model?: string }
  /** `model`: only this model, or the family that a pattern names. `untilMs` null: the upstream named no end, so it backs off. */
  | { kind: 'rate_limited'; untilMs: number | null; reason: string; model?: string }
  | { kind: 'forbidden'; model: string; keyId: number; untilMs: number; reason: string }
  /** `isLast`: no other account could serve; it cools down only after a half-open request failed too. */
  | { kind: 'failed'; reason: string; fault?: Fault; isLast?: boolean }
  | { kind: 'login_needed'; reason: string }
  | { kind: 'out_of_credit'; untilMs: number | null; reason: string }
  /** The half-open request begins: it decides whether the account is back. */
  | { kind: 'half_open_request' }
  /** The half-open request ended without a result (its client left): the next request takes its part. */
  | { kind: 'half_open_released' }
  /** A state without an end is given up: the next request is the half-open one. */
  | { kind: 'half_opened' }
  /** It was the request's fault after all: takes back one failure, what was held against the model, or the state that it made. */
  | { kind: 'retracted'; model?: string; state?: Retraction }
  /** Time has passed: limits that are over end. */
  | { kind: 'elapsed' }
  /** With `model`: a probe of that cooldown. */
  | { kind: 'probe_planned'; atMs: number | null; model?: string }
  | { kind: 'cleared' }

/** A state that is taken back, if nothing has changed it since, and what it was before. */
export interface Retraction {
  kind: StateKind
  untilMs: number | null
  before: Pick<AccountState, 'kind' | 'untilMs' | 'reason' | 'limits'>
}

/** The same object in every state without model cooldowns: one comparison tells. */
export const noModels: AccountState['models'] = Object.freeze({})

export const readyState: AccountState = Object.freeze({
  kind: 'ready',
  untilMs: null,
  reason: '',
  fault: null,
  sinceMs: 0,
  nextProbeAtMs: null,
  failures: { count: 0, firstMs: 0 },
  cooldowns: 0,
  limits: 0,
  models: noModels,
})

/**
 * The circuit breaker. It is pure code and no library (opossum, cockatiel): those wrap one function that succeeds or fails at
 * its end, in one process. Here the outcome is one of many and is known in the middle of the response; eligibility is asked
 * without calling the account; and every process computes the same state from the same events, also after a restart.
 */
export interface StatePolicy {
  /** This many failures within the window make an account cool down. */
  failures: number
  windowMs: number
  /** Each further cooldown in a row is twice as long, up to `maxCooldownMs`. */
  firstCooldownMs: number
  maxCooldownMs: number
  /** A half-open request that has not ended after this long is given up: the next request takes its part. */
  halfOpenMs: number
}
