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
import type { ProbeResponse } from '../upstreams/probe.ts'
import { probeResultOf } from '../upstreams/probe-result.ts'
import { type Target as NetworkTarget, targetOf } from '../upstreams/transport/target.ts'
import type { TransportOptions } from '../upstreams/transport/transport.ts'
import { cooldownsAt, isBack, nextProbeMs, type ProbePace } from './probe-plan.ts'
import { createQuestions, type QuestionParts, type Target } from './probe-question.ts'
import { recordProbe } from './record-probe.ts'
import { type RunWords, said, saidAs } from './run-words.ts'
import type { Runs } from './runs.ts'
import type { Job } from './scheduler.ts'

/** How a worker reaches the network: what can be handed to another thread. */
export type ProbeNetwork = Pick<TransportOptions, 'allow' | 'caPem' | 'connectTimeoutMs'>

/** What the worker is given: requests ready to be sent, and the way to the network. */
export interface ProbeWork {
  targets: (NetworkTarget & { key: string; request: ProbeRequest })[]
  network: ProbeNetwork
  patienceMs: number
}

/** What the worker sends back. */
export interface ProbeResults {
  answers: { key: string; answer: ProbeResponse }[]
}

/** How a probe went, for people. */
export interface ProbeOutcome {
  /** The account, or the model there, is back. */
  ok: boolean
  status: number
  startedMs: number
  latencyMs: number
  words: RunWords
  costNano: number
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
const maxTargets = 20

/** Recovery probes of accounts that are not ready and of models that cool down: after growing pauses, or when a person asks for one. */
export function createProbes(parts: ProbesParts) {
  const { accounts, now, chance } = parts
  const { canAsk, questionFor } = createQuestions(parts)
  /** Probes of the cooldown so far, by target. */
  const tries = new Map<string, number>()
  const wanted = new Map<string, { target: Target; waiting: ((outcome: ProbeOutcome) => void)[] }>()
  /** What the worker that runs now was given. */
  let asked = new Map<string, Target & { model: string; startedMs: number }>()

  function pace(): ProbePace {
    const { firstMs } = parts.probing()
    return { firstMs, longestMs: Math.max(firstMs, parts.longestMs) }
  }

  /** When the first probe of a cooldown is due; null: none is. */
  function firstProbeMs(account: Account, pattern: string): number | null {
    const atMs = now()
    if (!mayProbe({ account, pattern }) || !cooldownsAt(account, atMs).includes(pattern)) return null
    // Without probes, each real request that failed has begun a cooldown of its own.
    const tried = parts.probing().isActive ? 0 : cooldownsOf(account.live.state)
    return nextProbeMs(atMs, tried, chance(), pace())
  }

  /** True when a probe, or without probes a real request, may bring it back before its end. */
  function mayProbe({ account, pattern }: Target): boolean {
    if (parts.probing().isActive) return canAsk(account, pattern)
    return pattern === '' && returnsAtMs(account.live.state, '') === null && account.expiresAtMs > now()
  }

  /** Everything that a probe may bring back now. */
  function targetsNow(): Target[] {
    const atMs = now()
    return [...accounts.all()].flatMap((account) => cooldownsAt(account, atMs).map((pattern) => ({ account, pattern })))
  }

  /** Targets whose probe is due. New ones get a plan, and plans of what does not cool down any more are dropped. */
  function due(): Target[] {
    const atMs = now()
    const all = targetsNow()
    const known = new Set(all.map(keyOf))
    for (const key of tries.keys()) if (!known.has(key)) tries.delete(key)
    const targets = all.filter(mayProbe)
    dropPlans(new Set(targets.map(keyOf)))
    return targets.filter(({ account, pattern }) => {
      const plannedMs = plannedProbeMs(account.live.state, pattern)
      // Cooldowns from before the start, or from before probes were active.
      if (plannedMs === null) accounts.probeAt(account, firstProbeMs(account, pattern), pattern)
      return plannedMs !== null && plannedMs <= atMs
    })
  }

  /** What is not going to happen is not shown as a plan. */
  function dropPlans(but: ReadonlySet<string>): void {
    for (const account of accounts.all())
      for (const pattern of ['', ...modelsCoolingDown(account.live.state, now())])
        if (plannedProbeMs(account.live.state, pattern) !== null && !but.has(keyOf({ account, pattern })))
          accounts.probeAt(account, null, pattern)
  }

  async function begin(): Promise<ProbeWork | null> {
    if (wanted.size === 0 && !isNeeded()) return null
    const some = new Map<string, Target>()
    for (const [key, { target }] of wanted) {
      const account = accounts.byId(target.account.id)
      if (account) some.set(key, { account, pattern: target.pattern })
      else answerWanted(key, notAskedBecause(said('account_gone')))
    }
    const { isActive } = parts.probing()
    for (const target of due()) {
      if (!isActive) accounts.report(target.account, { kind: 'half_opened' }, byClock)
      else if (some.size < maxTargets) some.set(keyOf(target), target)
    }
    asked = new Map()
    const targets: ProbeWork['targets'] = []
    const questions = await Promise.all(Array.from(some.values(), questionFor))
    for (const question of questions) {
      const { account, pattern } = question
      const target = { account, pattern }
      if ('words' in question) {
        await notAsked(target, question.words)
        continue
      }
      const key = keyOf(target)
      asked.set(key, { ...target, model: question.model, startedMs: now() })
      targets.push({ key, ...targetOf(account), request: question.request })
    }
    return targets.length === 0 ? null : { targets, network: parts.network(), patienceMs: parts.patienceMs }
  }

  /** Nearly always there is nothing to do, and no setting to be read. */
  function isNeeded(): boolean {
    for (const account of accounts.all())
      if (account.live.state.nextProbeAtMs !== null || cooldownsAt(account, now()).length > 0) return true
    return false
  }

  /** What could not even be asked counts as a probe that failed. */
  async function notAsked(target: Target, words: RunWords): Promise<void> {
    planNext(target)
    const outcome = notAskedBecause(words)
    await noted(target, outcome)
    answerWanted(keyOf(target), outcome)
  }

  async function noted(
    { account, pattern }: Target,
    { ok, status, startedMs, latencyMs, words, costNano }: ProbeOutcome,
  ): Promise<void> {
    await parts.runs.add({
      job: 'probe',
      accountId: account.id,
      model: pattern.slice(0, 191),
      startedAtMs: startedMs,
      durationMs: latencyMs,
      outcome: ok ? 'done' : 'failed',
      status,
      words,
      costNano,
    })
  }

  async function decide(results: unknown): Promise<RunWords> {
    const { answers } = results as ProbeResults
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
    const { account, pattern, model, startedMs } = target
    const { status, durationMs } = answer
    const platform = parts.platforms[account.platform]!
    const { classifier } = parts
    const asked = { model, isMessage: !platform.probe }
    const result = status === 0 ? null : probeResultOf({ classifier, platform }, account, answer, asked, now())
    const isSuccess = result?.isSuccess === true
    if (platform.limits) {
      const { ofHeaders, ofProbe } = platform.limits
      const onPage = platform.probe && isSuccess ? ofProbe(answer.body) : []
      parts.gauges.note(account.id, [...onPage, ...ofHeaders(new Map(answer.headers), now())])
    }
    const classification = result === null || result.isSuccess ? null : result.classification
    // A model is back only when it answers: it cools down because it was refused.
    const ok =
      pattern === '' ? result !== null && isBack(account.live.state, classification, asked.isMessage) : isSuccess
    const words =
      result === null
        ? saidAs(answer.problem, answer.fault)
        : result.isSuccess
          ? said(ok ? 'answered' : 'still_limited')
          : saidAs(status === 200 ? result.reason : `${status} ${result.classification.errorType}`)
    const costNano =
      result?.isSuccess && asked.isMessage
        ? await recordProbe(parts, account, { model, startedMs, durationMs, reading: result.reading })
        : 0
    if (ok) {
      const evidence = { status, errorType: classification?.errorType ?? '', code: '', message: '' }
      const event = { kind: 'recovered' as const, startedMs, ...(pattern !== '' && { model: pattern }) }
      accounts.report(account, event, { by: 'probe', requestId: '', evidence })
      tries.delete(keyOf(target))
      accounts.probeAt(account, null, pattern)
    } else planNext(target)
    const outcome: ProbeOutcome = { ok, status, startedMs, latencyMs: durationMs, words, costNano }
    await noted(target, outcome)
    answerWanted(keyOf(target), outcome)
    return outcome
  }

  function notAskedBecause(words: RunWords): ProbeOutcome {
    return { ok: false, status: 0, startedMs: now(), latencyMs: 0, words, costNano: 0 }
  }

  function planNext(target: Target): void {
    const { account, pattern } = target
    const count = (tries.get(keyOf(target)) ?? 0) + 1
    tries.set(keyOf(target), count)
    if (cooldownsAt(account, now()).includes(pattern))
      accounts.probeAt(account, nextProbeMs(now(), count, chance(), pace()), pattern)
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

    /** Probes an account, or a model that cools down there, now; resolves when the next worker has ended. */
    want: (account: Account, pattern: string): Promise<ProbeOutcome> =>
      new Promise((resolve) => {
        const target = { account, pattern }
        const known = wanted.get(keyOf(target))
        if (known) known.waiting.push(resolve)
        else wanted.set(keyOf(target), { target, waiting: [resolve] })
      }),
    isWanted: (): boolean => wanted.size > 0,

    /** The worker ended without results: its targets are probed later, and whoever waits for one gets these words. */
    failed(words: RunWords): void {
      for (const [key, target] of asked) {
        const account = accounts.byId(target.account.id)
        if (account) planNext({ account, pattern: target.pattern })
        answerWanted(key, notAskedBecause(words))
      }
      asked = new Map()
    },
  }
}

const byClock: Cause = { by: 'probe', requestId: '', evidence: null }

const keyOf = ({ account, pattern }: Target): string => `${account.id} ${pattern}`
