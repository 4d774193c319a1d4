import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import { cooldownsOf, modelsCoolingDown, plannedProbeMs, returnsAtMs } from '../accounts/state/eligibility.ts'
import type { Cause } from '../accounts/state/transitions.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { LiveSource } from '../live/hub.ts'
import type { Prices } from '../prices/open-prices.ts'
import type { RequestId } from '../request-ids.ts'
import type { Classifier } from '../upstreams/classify.ts'
import type { ProbeRequest } from '../upstreams/platform.ts'
import { errorResponseOf, type ProbeResponse } from '../upstreams/probe.ts'
import type { TransportOptions } from '../upstreams/transport/transport.ts'
import { bookProbe } from './probe-bill.ts'
import { isBack, nextLookMs, type ProbePace, restsAt } from './probe-plan.ts'
import { createQuestions, type QuestionParts, type Target } from './probe-question.ts'
import { type RunWords, said, saidAs } from './run-words.ts'
import type { Runs } from './runs.ts'
import type { Job } from './scheduler.ts'

/** How a worker reaches the network: what can be handed to another thread. */
export type ProbeNetwork = Pick<TransportOptions, 'allow' | 'caPem' | 'connectTimeoutMs'>

/** What the worker gets: questions ready to be sent, and the way to the network. */
export interface ToLookAt {
  targets: { key: string; origin: string; proxy: string | null; request: ProbeRequest }[]
  network: ProbeNetwork
  patienceMs: number
}

/** What the worker says. */
export interface LookedAt {
  answers: { key: string; answer: ProbeResponse }[]
}

/** How a probe went, for people. */
export interface ProbeOutcome {
  /** The account, or the model there, is back. */
  ok: boolean
  status: number
  latencyMs: number
  words: RunWords
}

export interface ProbesParts extends QuestionParts {
  accounts: Accounts
  classifier: Classifier
  gauges: Pick<Gauges, 'note'>
  prices: Prices
  ledger: Ledger
  live: LiveSource
  runs: Runs
  network: () => ProbeNetwork
  worker: URL
  everyMs: number
  patienceMs: number
  longestMs: number
  /** Not active: nothing is asked of upstreams unless a person wants it; what has no end is tried by a real request. */
  probing: () => { isActive: boolean; firstMs: number }
  newId: () => RequestId
  chance: () => number
}

/** Targets that one worker asks after at a time. */
const mostAtOnce = 20

/** Recovery probes: of accounts that are not ready, and of models that rest, in a rhythm that slows down, or because a person wants to know now. */
export function createProbes(parts: ProbesParts) {
  const { accounts, now, chance } = parts
  const { canAsk, questionFor } = createQuestions(parts)
  /** Probes since it rests, by target. */
  const tries = new Map<string, number>()
  const wanted = new Map<string, { target: Target; waiting: ((outcome: ProbeOutcome) => void)[] }>()
  /** Asked by the worker that runs now. */
  let asked = new Map<string, Target & { model: string; startedMs: number }>()

  function pace(): ProbePace {
    const { firstMs } = parts.probing()
    return { firstMs, longestMs: Math.max(firstMs, parts.longestMs) }
  }

  /** When a rest that nobody has looked at yet is looked at first; null: not at all. */
  function firstProbeMs(account: Account, rest: string): number | null {
    const atMs = now()
    if (!mayLook({ account, rest }) || !restsAt(account, atMs).includes(rest)) return null
    // A rest that a real request has tried in vain is another one each time.
    const tried = parts.probing().isActive ? 0 : cooldownsOf(account.live.state)
    return nextLookMs(atMs, tried, chance(), pace())
  }

  /** True when a probe, or without probes a real request, may bring it back before its end. */
  function mayLook({ account, rest }: Target): boolean {
    if (parts.probing().isActive) return canAsk(account, rest)
    return rest === '' && returnsAtMs(account.live.state, '') === null && account.expiresAtMs > now()
  }

  /** Everything that a probe may bring back now. */
  function resting(): Target[] {
    const atMs = now()
    return [...accounts.all()].flatMap((account) => restsAt(account, atMs).map((rest) => ({ account, rest })))
  }

  /** Targets whose time has come; those seen for the first time get theirs, and what rests no more is planned no more. */
  function due(): Target[] {
    const atMs = now()
    const all = resting()
    const known = new Set(all.map(keyOf))
    for (const key of tries.keys()) if (!known.has(key)) tries.delete(key)
    const targets = all.filter(mayLook)
    dropPlans(new Set(targets.map(keyOf)))
    return targets.filter(({ account, rest }) => {
      const plannedMs = plannedProbeMs(account.live.state, rest)
      // Rests of before a start, or of before probes were active.
      if (plannedMs === null) accounts.probeAt(account, firstProbeMs(account, rest), rest)
      return plannedMs !== null && plannedMs <= atMs
    })
  }

  /** What is not going to happen is not shown as a plan. */
  function dropPlans(but: ReadonlySet<string>): void {
    for (const account of accounts.all())
      for (const rest of ['', ...modelsCoolingDown(account.live.state, now())])
        if (plannedProbeMs(account.live.state, rest) !== null && !but.has(keyOf({ account, rest })))
          accounts.probeAt(account, null, rest)
  }

  async function begin(): Promise<ToLookAt | null> {
    if (wanted.size === 0 && !isNeeded()) return null
    const some = new Map<string, Target>()
    for (const [key, { target }] of wanted) {
      const account = accounts.byId(target.account.id)
      if (account) some.set(key, { account, rest: target.rest })
      else answerWanted(key, unasked(said('account_gone')))
    }
    const { isActive } = parts.probing()
    for (const target of due()) {
      if (!isActive) accounts.report(target.account, { kind: 'half_opened' }, byClock)
      else if (some.size < mostAtOnce) some.set(keyOf(target), target)
    }
    asked = new Map()
    const targets: ToLookAt['targets'] = []
    const questions = await Promise.all(Array.from(some.values(), questionFor))
    for (const question of questions) {
      const { account, rest } = question
      const target = { account, rest }
      if ('words' in question) {
        await notAsked(target, question.words)
        continue
      }
      const key = keyOf(target)
      asked.set(key, { ...target, model: question.model, startedMs: now() })
      targets.push({ key, origin: account.origin, proxy: account.proxy, request: question.request })
    }
    return targets.length === 0 ? null : { targets, network: parts.network(), patienceMs: parts.patienceMs }
  }

  /** Nearly always there is nothing to do, and no setting to be read. */
  function isNeeded(): boolean {
    for (const account of accounts.all())
      if (account.live.state.nextProbeAtMs !== null || restsAt(account, now()).length > 0) return true
    return false
  }

  /** What could not even be asked is a look in vain. */
  async function notAsked(target: Target, words: RunWords): Promise<void> {
    planNext(target)
    const outcome = unasked(words)
    await noted(target, { startedMs: now(), costNano: 0 }, outcome)
    answerWanted(keyOf(target), outcome)
  }

  async function noted(
    { account, rest }: Target,
    { startedMs, costNano }: { startedMs: number; costNano: number },
    { ok, status, latencyMs, words }: ProbeOutcome,
  ): Promise<void> {
    await parts.runs.add({
      job: 'probe',
      accountId: account.id,
      model: rest.slice(0, 191),
      startedAtMs: startedMs,
      durationMs: latencyMs,
      outcome: ok ? 'done' : 'failed',
      status,
      words,
      costNano,
    })
  }

  async function decide(looked: unknown): Promise<RunWords> {
    const { answers } = looked as LookedAt
    let back = 0
    for (const { key, answer } of answers) {
      const question = asked.get(key)
      const account = question && accounts.byId(question.account.id)
      if (!question || !account) continue
      const outcome = await settle({ ...question, account }, answer)
      if (outcome.ok) back++
    }
    return said('probed', { asked: answers.length, back })
  }

  async function settle(
    target: Target & { model: string; startedMs: number },
    answer: ProbeResponse,
  ): Promise<ProbeOutcome> {
    const { account, rest, model, startedMs } = target
    const { status, durationMs } = answer
    const platform = parts.platforms[account.platform]!
    if (platform.limits) {
      const { ofHeaders, ofProbe } = platform.limits
      const asked = platform.probe && status === 200 ? ofProbe(answer.body) : []
      parts.gauges.note(account.id, [...asked, ...ofHeaders(new Map(answer.headers))])
    }
    const classification =
      status === 0 || status === 200
        ? null
        : parts.classifier.classify(account, errorResponseOf(answer, account.secret), model, now())
    // A model is back when it answers; a refusal of whatever kind is what it rests for.
    const ok =
      rest === '' ? status !== 0 && isBack(account.live.state, classification, !platform.probe) : status === 200
    const words =
      status === 0
        ? saidAs(answer.problem, answer.fault)
        : classification
          ? saidAs(`${status} ${classification.errorType}`)
          : said(ok ? 'answered' : 'still_limited')
    let costNano = 0
    if (status === 200 && !platform.probe) {
      const { reading } = platform.format.readJson(Buffer.from(answer.body), account.secret)
      costNano = await bookProbe(parts, account, { model, startedMs, durationMs, reading })
    }
    if (ok) {
      const evidence = { status, errorType: classification?.errorType ?? '', code: '', message: '' }
      const event = { kind: 'recovered' as const, startedMs, ...(rest !== '' && { model: rest }) }
      accounts.report(account, event, { by: 'probe', requestId: '', evidence })
      tries.delete(keyOf(target))
      accounts.probeAt(account, null, rest)
    } else planNext(target)
    const outcome: ProbeOutcome = { ok, status, latencyMs: durationMs, words }
    await noted(target, { startedMs, costNano }, outcome)
    answerWanted(keyOf(target), outcome)
    return outcome
  }

  function planNext(target: Target): void {
    const { account, rest } = target
    const count = (tries.get(keyOf(target)) ?? 0) + 1
    tries.set(keyOf(target), count)
    if (restsAt(account, now()).includes(rest))
      accounts.probeAt(account, nextLookMs(now(), count, chance(), pace()), rest)
  }

  function answerWanted(key: string, outcome: ProbeOutcome): void {
    const { waiting } = wanted.get(key) ?? { waiting: [] }
    wanted.delete(key)
    for (const resolve of waiting) resolve(outcome)
  }

  const job: Job = { name: 'probe', everyMs: parts.everyMs, worker: parts.worker, begin, decide }
  return {
    job,
    firstProbeMs,

    /** Asks an account, or after a model that rests there, now; the answer is given when the next worker is back. */
    want: (account: Account, rest: string): Promise<ProbeOutcome> =>
      new Promise((resolve) => {
        const target = { account, rest }
        const known = wanted.get(keyOf(target))
        if (known) known.waiting.push(resolve)
        else wanted.set(keyOf(target), { target, waiting: [resolve] })
      }),
    isWanted: (): boolean => wanted.size > 0,

    /** The worker ended without a word: its targets are looked at later, and who waits is told. */
    failed(words: RunWords): void {
      for (const [key, target] of asked) {
        const account = accounts.byId(target.account.id)
        if (account) planNext({ account, rest: target.rest })
        answerWanted(key, unasked(words))
      }
      asked = new Map()
    },
  }
}

const byClock: Cause = { by: 'probe', requestId: '', evidence: null }

const unasked = (words: RunWords): ProbeOutcome => ({ ok: false, status: 0, latencyMs: 0, words })

const keyOf = ({ account, rest }: Target): string => `${account.id} ${rest}`
