// Over 300 lines: one fold, and all that is asked of its state.
import { fitsPattern } from '../../model-patterns.ts'

/**
 * The automatic state of an account: a fold over what happened to it. Pure: time and chance are arguments.
 * The manual switch (`enabled`) is another matter and is never touched here.
 */
export type StateKind = 'ready' | 'limited' | 'cooling' | 'probing' | 'needs_login' | 'unfunded'

/** Why no usable answer came, for machines: a stable name, and where it was tried. `reason` says the same to people. */
export interface Fault {
  cause: string
  place: string
}

export interface Rest {
  untilMs: number
  reason: string
  /** When it began or was prolonged last. Absent in rows of older programs. */
  sinceMs?: number
  /** When a recovery probe asks for this model next; absent: none is planned. */
  nextProbeAtMs?: number
  /** With a 403: the API key it was said to (0: a probe). Two models refused to two keys mean a lost login. */
  forbiddenTo?: number
}

export interface AccountState {
  /** `probing`: back from a cooling and on trial; one request goes there, others only if there is no other account. */
  kind: StateKind
  /** When it returns by itself (`probing`: when the next trial may begin); null when it is ready or a person must act. */
  untilMs: number | null
  /** One line for people: why it rests, or what failed last; '' when nothing did. */
  reason: string
  /** With a reason that says that no usable answer came; null for what an upstream said itself. */
  fault: Fault | null
  /** When its kind or its end last changed, epoch ms; 0: never. */
  sinceMs: number
  /** When a recovery probe looks at it next; null: none is planned. */
  nextProbeAtMs: number | null
  /** Failures since the last answer: when the first was, and how many. */
  failures: { count: number; firstMs: number }
  /** Coolings in a row: the exponent of the back-off. */
  coolings: number
  /** Limits in a row that named no end. */
  limits: number
  /** Rests of single models (as requested) or of families (a pattern with `*`), beside the state of the whole account. */
  models: Readonly<Record<string, Rest>>
}

export type AccountEvent =
  /** A request was answered. Ends coolings and trials; of limits it says nothing, it may have begun before. */
  | { kind: 'answered' }
  /** A probe that began at `startedMs` was answered: whatever is older than it is over, or with `model` the rest of that model. */
  | { kind: 'recovered'; startedMs: number; model?: string }
  /** `model`: only this model rests, or the family that a pattern names. `untilMs` null: nobody said, it backs off. */
  | { kind: 'limited'; untilMs: number | null; reason: string; model?: string }
  | { kind: 'forbidden'; model: string; keyId: number; untilMs: number; reason: string }
  /** `isLast`: no other account could serve; it is not ejected before a trial failed too. */
  | { kind: 'failed'; reason: string; fault?: Fault; isLast?: boolean }
  | { kind: 'login_needed'; reason: string }
  | { kind: 'unfunded'; untilMs: number | null; reason: string }
  /** A request begins that decides whether the account is back. */
  | { kind: 'trial' }
  /** The trial ended without a verdict (its client left): the next request is the trial. */
  | { kind: 'released' }
  /** Nothing but a request can tell whether what has no end is over: the next one is the trial. */
  | { kind: 'half_opened' }
  /** It was the request's fault after all: takes back one failure, what was held against the model, or the state that it made. */
  | { kind: 'retracted'; model?: string; state?: Retraction }
  /** Somebody looked at the clock: limits that are over end. */
  | { kind: 'elapsed' }
  /** With `model`: a probe of that rest. */
  | { kind: 'probe_planned'; atMs: number | null; model?: string }
  | { kind: 'cleared' }

/** A state that is taken back, if nothing has changed it since, and what it was before. */
export interface Retraction {
  kind: StateKind
  untilMs: number | null
  before: Pick<AccountState, 'kind' | 'untilMs' | 'reason' | 'limits'>
}

/** A limit whose end nobody names: half a minute, doubled each time. */
const firstLimitMs = 30_000
const longestLimitMs = 300_000

const longestText = 2000
/** More models than this rest one by one only where somebody makes their names up. */
const mostModelRests = 50

const noModels: AccountState['models'] = Object.freeze({})

export const readyState: AccountState = Object.freeze({
  kind: 'ready',
  untilMs: null,
  reason: '',
  fault: null,
  sinceMs: 0,
  nextProbeAtMs: null,
  failures: { count: 0, firstMs: 0 },
  coolings: 0,
  limits: 0,
  models: noModels,
})

/**
 * The circuit breaker. Why pure code and no library: the two that are kept, opossum 9.0.0 and cockatiel 3.2.1, wrap one
 * asynchronous function that succeeds or fails at its end, one instance a circuit. Here the outcome is one of many, known
 * before the answer ends or in the middle of it; whether an account may be asked has to be told without asking it (to choose,
 * to stick, to show); and the state is one row for account and models, kept in the database and folded from events of every
 * process in the same way. opossum reopens after a fixed `resetTimeout` on a timer of its own, without back-off or jitter.
 * cockatiel has an exponential back-off and `toJSON`, but its snapshot can only begin a new instance: it draws the back-off
 * anew then, so that `until` would change with a restart, takes nothing in from another process, and lets callers wait for a
 * half-open trial where ours go to another account. Both read `Date.now` themselves. What is left is these numbers.
 */
export interface StatePolicy {
  /** This many failures within the window make an account cool. */
  failures: number
  windowMs: number
  /** First cooling; each further one doubles it up to the longest. */
  coolingMs: number
  longestCoolingMs: number
  /** A trial that has not ended after this long is given up: the next request is one. */
  trialMs: number
}

const defaultPolicy: StatePolicy = {
  failures: 3,
  windowMs: 60_000,
  coolingMs: 10_000,
  longestCoolingMs: 300_000,
  trialMs: 120_000,
}

/**
 * The state after an event. `chance` is in [0, 1) and jitters back-offs by up to a fifth. The same object means: no change.
 * Bad news never brings a return forward.
 */
export function fold(
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
      return foldAnswer(state, nowMs)
    case 'recovered':
      return foldRecovery(state, event, nowMs)
    case 'limited':
      return foldLimit(state, event, nowMs, chance)
    case 'forbidden':
      return foldForbidden(state, event, nowMs)
    case 'failed':
      return foldFailure(state, event, nowMs, chance, policy)
    case 'login_needed':
      if (state.kind === 'needs_login') return state
      return { ...state, kind: 'needs_login', untilMs: null, sinceMs: nowMs, reason: event.reason, fault: null }
    case 'unfunded':
      return withRest(state, 'unfunded', event, nowMs)
    case 'trial':
      if (!isHalfOpen(state, nowMs)) return state
      return { ...state, kind: 'probing', untilMs: nowMs + policy.trialMs, sinceMs: nowMs }
    case 'released':
      return state.kind === 'probing' ? { ...state, kind: 'cooling', untilMs: nowMs, sinceMs: nowMs } : state
    case 'half_opened': {
      if (state.kind === 'ready' || state.untilMs !== null) return state
      const coolings = state.coolings + 1
      return { ...state, kind: 'probing', untilMs: nowMs, sinceMs: nowMs, nextProbeAtMs: null, coolings }
    }
    case 'retracted':
      return unplanned(foldRetraction(state, event, nowMs))
    case 'elapsed': {
      const models = withoutExpired(state.models, nowMs)
      if (isOver(state, nowMs)) return { ...readyState, sinceMs: nowMs, models }
      return models === state.models ? state : { ...state, models }
    }
    case 'probe_planned':
      if (event.model !== undefined) return withModelProbe(state, event.model, event.atMs)
      return state.nextProbeAtMs === event.atMs ? state : { ...state, nextProbeAtMs: event.atMs }
  }
}

/** The one answer to "may a request for this model go there now". `isLast`: no other account can; then a trial under way does not bar it. */
export function isEligible(state: AccountState, model: string, nowMs: number, isLast = false): boolean {
  if (state.kind !== 'ready' && !(isLast && state.kind === 'probing')) {
    if (state.untilMs === null || state.untilMs > nowMs) return false
  }
  return state.models === noModels || modelRestMs(state, model) <= nowMs
}

/** True when the next request to it is the trial that ends a cooling or begins another. */
export function isHalfOpen(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): boolean {
  return (state.kind === 'cooling' || state.kind === 'probing') && state.untilMs !== null && state.untilMs <= nowMs
}

/** What to call it now: a limit whose end has come is over, and a cooling goes on as a trial. */
export function kindAt(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): StateKind {
  if (isOver(state, nowMs)) return 'ready'
  return isHalfOpen(state, nowMs) ? 'probing' : state.kind
}

/** True when the account as a whole is not in service, or on trial: what a probe may bring back. */
export function isOut(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): boolean {
  return kindAt(state, nowMs) !== 'ready'
}

/** The models, and patterns of families, that rest now while the account serves others. */
export function restingModels(state: AccountState, nowMs: number): string[] {
  if (state.models === noModels) return []
  return Object.keys(state.models).filter((name) => state.models[name]!.untilMs > nowMs)
}

/** When a probe looks next: at the account (`model` ''), or at a model that rests there; null: none is planned. */
export function plannedProbeMs(state: AccountState, model: string): number | null {
  return model === '' ? state.nextProbeAtMs : (state.models[model]?.nextProbeAtMs ?? null)
}

/** Rests whose time is over and that nobody has ended yet: its own, and those of models. */
export function countOver(state: AccountState, nowMs: number): number {
  const models = Object.values(state.models).filter(({ untilMs }) => untilMs <= nowMs).length
  return models + (isOver(state, nowMs) ? 1 : 0)
}

/** What has to come true before it is back: that its upstream works, its limit or money, or its login; null when it is not out. */
export function waitsFor({ kind }: Pick<AccountState, 'kind'>): 'upstream' | 'limit' | 'login' | null {
  if (kind === 'ready') return null
  if (kind === 'cooling' || kind === 'probing') return 'upstream'
  return kind === 'needs_login' ? 'login' : 'limit'
}

/** Coolings, and trials of what has no end, in a row: the exponent of back-offs. */
export const coolingsOf = ({ coolings }: AccountState): number => coolings

/** When it may serve this model again; 0 when it may already, or a trial decides any moment; null when only a person can tell. */
export function returnsAtMs(state: AccountState, model: string): number | null {
  if (state.kind !== 'ready' && state.untilMs === null) return null
  return Math.max(state.kind === 'probing' ? 0 : (state.untilMs ?? 0), modelRestMs(state, model))
}

/** The state for its column of 2000 characters: where models with long names rest, those that rest longest are kept. */
export function stateText(state: AccountState): string {
  let text = JSON.stringify(state)
  if (text.length <= longestText) return text
  const rests = Object.entries(state.models).sort(([, one], [, other]) => other.untilMs - one.untilMs)
  while (text.length > longestText && rests.pop())
    text = JSON.stringify({ ...state, models: Object.fromEntries(rests) })
  return text
}

/** The state as a row holds it; what is missing is as in a ready one. A trial does not outlive the process that made it. */
export function storedState(text: string): AccountState {
  const stored = JSON.parse(text) as Partial<AccountState>
  if (stored.kind === undefined) return readyState
  const models = Object.keys(stored.models ?? {}).length === 0 ? noModels : stored.models!
  const state = { ...readyState, ...stored, models }
  return state.kind === 'probing' ? { ...state, kind: 'cooling', untilMs: 0 } : state
}

function foldAnswer(state: AccountState, nowMs: number): AccountState {
  // Nearly every answer of a relay's day.
  if (state === readyState) return state
  const models = withoutExpired(state.models, nowMs)
  // A request that was already on its way says nothing about a limit that came after it.
  if (state.kind !== 'ready' && state.kind !== 'cooling' && state.kind !== 'probing' && !isOver(state, nowMs))
    return state
  if (
    state.kind === 'ready' &&
    state.failures.count === 0 &&
    state.coolings === 0 &&
    state.limits === 0 &&
    models === state.models
  )
    return state
  return { ...readyState, sinceMs: state.kind === 'ready' ? state.sinceMs : nowMs, models }
}

function foldRecovery(
  state: AccountState,
  { startedMs, model }: { startedMs: number; model?: string },
  nowMs: number,
): AccountState {
  if (model !== undefined) return (state.models[model]?.sinceMs ?? 0) > startedMs ? state : withoutModel(state, model)
  if (state.kind === 'ready' || state.sinceMs > startedMs) return state
  return { ...readyState, sinceMs: nowMs, models: withoutExpired(state.models, nowMs) }
}

function foldLimit(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'limited' }>,
  nowMs: number,
  chance: number,
): AccountState {
  const { reason } = event
  const backOffMs = Math.min(firstLimitMs * 2 ** state.limits, longestLimitMs) * (1 + chance / 5)
  const untilMs = event.untilMs ?? nowMs + Math.round(backOffMs)
  if (event.model !== undefined) return withModelRest(state, event.model, { untilMs, reason }, nowMs)
  const after = withRest(state, 'limited', { untilMs, reason }, nowMs)
  return after === state || event.untilMs !== null ? after : { ...after, limits: state.limits + 1 }
}

function foldForbidden(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'forbidden' }>,
  nowMs: number,
): AccountState {
  for (const [model, rest] of Object.entries(withoutExpired(state.models, nowMs))) {
    if (rest.forbiddenTo === undefined || model === event.model || rest.forbiddenTo === event.keyId) continue
    if (state.kind === 'needs_login') return state
    return { ...state, kind: 'needs_login', untilMs: null, sinceMs: nowMs, reason: event.reason, fault: null }
  }
  const { untilMs, reason, keyId } = event
  return withModelRest(state, event.model, { untilMs, reason, forbiddenTo: keyId }, nowMs)
}

function foldFailure(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'failed' }>,
  nowMs: number,
  chance: number,
  policy: StatePolicy,
): AccountState {
  const onTrial = state.kind === 'probing' || isHalfOpen(state, nowMs)
  // Failures of requests that were already on their way do not prolong a rest.
  if (state.kind !== 'ready' && !onTrial && !isOver(state, nowMs)) return state
  const fresh = nowMs - state.failures.firstMs > policy.windowMs
  const failures = fresh
    ? { count: 1, firstMs: nowMs }
    : { count: state.failures.count + 1, firstMs: state.failures.firstMs }
  const { reason, fault = null } = event
  if (!onTrial && failures.count < policy.failures) {
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
  // The last account begins its cooling with the trial.
  if (!onTrial && event.isLast === true)
    return { ...state, kind: 'cooling', untilMs: nowMs, sinceMs: nowMs, reason, fault, failures }
  const restMs = Math.min(policy.coolingMs * 2 ** state.coolings, policy.longestCoolingMs) * (1 + chance / 5)
  const untilMs = nowMs + Math.round(restMs)
  return { ...state, kind: 'cooling', untilMs, sinceMs: nowMs, reason, fault, failures, coolings: state.coolings + 1 }
}

/** True for a limit or an empty purse whose date has come; a cooling ends with a trial, not with the clock. */
function isOver(state: Pick<AccountState, 'kind' | 'untilMs'>, nowMs: number): boolean {
  return (state.kind === 'limited' || state.kind === 'unfunded') && state.untilMs !== null && state.untilMs <= nowMs
}

/** The whole account rests; what rests longer already stays as it is. */
function withRest(
  state: AccountState,
  kind: 'limited' | 'unfunded',
  { untilMs, reason }: { untilMs: number | null; reason: string },
  nowMs: number,
): AccountState {
  if (state.kind === 'needs_login') return state
  const isResting =
    state.kind !== 'ready' && state.kind !== 'probing' && (state.untilMs === null || state.untilMs > nowMs)
  if (isResting && (state.untilMs === null || (untilMs !== null && state.untilMs >= untilMs))) {
    // An empty purse is the longer story, also when it ends sooner.
    if (kind !== 'unfunded' || state.kind === 'unfunded') return state
    return { ...state, kind, sinceMs: nowMs, reason, fault: null }
  }
  if (kind === 'limited' && state.kind === 'unfunded' && isResting) return { ...state, untilMs, sinceMs: nowMs }
  return { ...state, kind, untilMs, sinceMs: nowMs, reason, fault: null }
}

function withModelRest(state: AccountState, model: string, rest: Rest, nowMs: number): AccountState {
  const known = state.models[model]
  if (known && known.untilMs >= rest.untilMs) return state
  const { untilMs, reason, forbiddenTo } = rest
  const planned = known && known.untilMs > nowMs ? known.nextProbeAtMs : undefined
  const entry: Rest = {
    untilMs,
    reason,
    sinceMs: nowMs,
    ...(planned !== undefined && { nextProbeAtMs: planned }),
    ...(forbiddenTo !== undefined && { forbiddenTo }),
  }
  const rests = Object.entries(withoutExpired(state.models, nowMs)).filter(([name]) => name !== model)
  if (rests.length >= mostModelRests) rests.sort(([, one], [, other]) => other.untilMs - one.untilMs).pop()
  return { ...state, models: Object.fromEntries([...rests, [model, entry]]) }
}

function withModelProbe(state: AccountState, model: string, atMs: number | null): AccountState {
  const rest = state.models[model]
  if (!rest || (rest.nextProbeAtMs ?? null) === atMs) return state
  const { nextProbeAtMs: _, ...unplanned } = rest
  const planned = atMs === null ? unplanned : { ...unplanned, nextProbeAtMs: atMs }
  return { ...state, models: { ...state.models, [model]: planned } }
}

function withoutModel(state: AccountState, model: string): AccountState {
  if (state.models[model] === undefined) return state
  const { [model]: _, ...models } = state.models
  return { ...state, models: Object.keys(models).length === 0 ? noModels : models }
}

function foldRetraction(
  state: AccountState,
  event: Extract<AccountEvent, { kind: 'retracted' }>,
  nowMs: number,
): AccountState {
  if (event.state === undefined && event.model === undefined) return withoutFailure(state, nowMs)
  return withoutState(event.model === undefined ? state : withoutModel(state, event.model), event.state, nowMs)
}

/** Nobody looks at what does not rest. */
const unplanned = (state: AccountState): AccountState =>
  state.kind === 'ready' && state.nextProbeAtMs !== null ? { ...state, nextProbeAtMs: null } : state

/** One failure less; the cooling that just began with it is taken back with it. */
function withoutFailure(state: AccountState, nowMs: number): AccountState {
  if (state.failures.count === 0) return state
  const failures = { ...state.failures, count: state.failures.count - 1 }
  if (state.kind === 'ready' && failures.count === 0) return { ...state, failures, reason: '', fault: null }
  if (state.kind === 'ready') return { ...state, failures }
  if (state.kind !== 'cooling') return state
  const coolings = Math.max(0, state.coolings - 1)
  // After a trial that said nothing, the next request is the trial.
  if (coolings > 0) return { ...state, untilMs: nowMs, sinceMs: nowMs, failures, coolings }
  return { ...state, kind: 'ready', untilMs: null, sinceMs: nowMs, failures, coolings }
}

function withoutState(state: AccountState, made: Retraction | undefined, nowMs: number): AccountState {
  if (made === undefined || state.kind !== made.kind || state.untilMs !== made.untilMs) return state
  return { ...state, ...made.before, sinceMs: nowMs }
}

/** What takes back a change of the whole account's state; null when there was none. */
export function retractionOf(before: AccountState, after: AccountState): Retraction | null {
  if (before.kind === after.kind && before.untilMs === after.untilMs) return null
  const { kind, untilMs, reason, limits } = before
  // The trial is over by then, and brought no verdict: the next request is another.
  const state = kind === 'probing' ? ({ kind: 'cooling', untilMs: 0 } as const) : { kind, untilMs }
  return { kind: after.kind, untilMs: after.untilMs, before: { ...state, reason, limits } }
}

function modelRestMs(state: AccountState, model: string): number {
  let untilMs = 0
  for (const name in state.models) {
    const rest = state.models[name]!
    if (rest.untilMs > untilMs && (name === model || (name.includes('*') && fitsPattern(name, model))))
      untilMs = rest.untilMs
  }
  return untilMs
}

function withoutExpired(models: AccountState['models'], nowMs: number): AccountState['models'] {
  const live = Object.entries(models).filter(([, rest]) => rest.untilMs > nowMs)
  if (live.length === 0) return noModels
  return live.length === Object.keys(models).length ? models : Object.fromEntries(live)
}
