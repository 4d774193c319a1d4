import type { Account, Accounts } from '../accounts/accounts.ts'
import type { Gauges } from '../accounts/gauges.ts'
import type { LiveSource } from '../live/hub.ts'
import type { RequestId } from '../request-ids.ts'
import type { Database } from '../store/database.ts'
import { readUsageFromJson } from '../upstreams/anthropic-usage.ts'
import type { DispatcherOptions } from '../upstreams/dispatchers.ts'
import { messageProbe, type ProbeAnswer, type ProbeRequest, refusalOf } from '../upstreams/probe.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import type { Usage } from '../usage/usage.ts'
import { bookProbe } from './probe-bill.ts'
import { cheapestModel, isBack, nextLookMs, type ProbePace, wantsProbe } from './probe-plan.ts'
import type { Runs } from './runs.ts'
import type { Job } from './scheduler.ts'

/** How a worker reaches the network: what can be handed to another thread. */
export type ProbeNetwork = Pick<DispatcherOptions, 'allow' | 'caPem' | 'connectTimeoutMs'>

/** What the worker gets: questions ready to be sent, and the way to the network. */
export interface ToLookAt {
  targets: { accountId: number; origin: string; proxy: string | null; request: ProbeRequest }[]
  network: ProbeNetwork
  patienceMs: number
}

/** What the worker says. */
export interface LookedAt {
  answers: { accountId: number; answer: ProbeAnswer }[]
}

/** How a probe went, for people. */
export interface ProbeOutcome {
  /** The account is back. */
  ok: boolean
  status: number
  latencyMs: number
  message: string
}

export interface ProbesParts {
  accounts: Accounts
  gauges: Pick<Gauges, 'note'>
  usage: Usage
  live: LiveSource
  database: Database
  runs: Runs
  upstreams: Record<Account['platform'], Upstream | undefined>
  network: () => ProbeNetwork
  worker: URL
  everyMs: number
  patienceMs: number
  longestMs: number
  /** Not active: nothing is asked of upstreams unless a person wants it. */
  probing: () => Promise<{ isActive: boolean; firstMs: number }>
  newId: () => RequestId
  now: () => number
  chance: () => number
}

/** Accounts that one worker asks at a time. */
const mostAtOnce = 20
/** How many of an account's last answers tell which models it serves. */
const lastServed = 200

/** Recovery probes: of accounts that are not ready, in a rhythm that slows down, or because a person wants to know now. */
export function createProbes(parts: ProbesParts) {
  const { accounts, now, chance } = parts
  /** Probes since an account is not ready. */
  const tries = new Map<number, number>()
  const wanted = new Map<number, ((outcome: ProbeOutcome) => void)[]>()
  let pace: ProbePace = { firstMs: parts.longestMs, longestMs: parts.longestMs }
  /** Asked by the worker that runs now. */
  let asked = new Map<number, { model: string; startedMs: number }>()

  /** Accounts whose time has come; those seen for the first time get theirs. */
  function due(): Account[] {
    const atMs = now()
    const found: Account[] = []
    for (const account of accounts.all()) {
      const { nextProbeAtMs } = account.live.state
      if (!wantsProbe(account, atMs)) {
        tries.delete(account.id)
        if (nextProbeAtMs !== null) accounts.probeAt(account, null)
      } else if (nextProbeAtMs === null) accounts.probeAt(account, nextLookMs(atMs, 0, chance(), pace))
      else if (nextProbeAtMs <= atMs) found.push(account)
    }
    return found
  }

  async function begin(): Promise<ToLookAt | null> {
    if (wanted.size === 0 && !anyUnready()) return null
    const some = new Map<number, Account>()
    for (const id of wanted.keys()) {
      const account = accounts.byId(id)
      if (account) some.set(id, account)
      else answerWanted(id, { ok: false, status: 0, latencyMs: 0, message: 'The account is gone.' })
    }
    const { isActive, firstMs } = await parts.probing()
    pace = { firstMs, longestMs: Math.max(firstMs, parts.longestMs) }
    if (isActive) {
      for (const account of due()) if (some.size < mostAtOnce) some.set(account.id, account)
    } else {
      // What is not going to happen is not shown as a plan.
      for (const account of accounts.all())
        if (account.live.state.nextProbeAtMs !== null) accounts.probeAt(account, null)
    }
    asked = new Map()
    const targets: ToLookAt['targets'] = []
    for (const account of some.values()) {
      const question = await questionFor(account)
      if (question === null) {
        const message = 'No model of this account is known.'
        planNext(account)
        answerWanted(account.id, { ok: false, status: 0, latencyMs: 0, message })
        continue
      }
      asked.set(account.id, { model: question.model, startedMs: now() })
      targets.push({ accountId: account.id, origin: account.origin, proxy: account.proxy, request: question.request })
    }
    return targets.length === 0 ? null : { targets, network: parts.network(), patienceMs: parts.patienceMs }
  }

  /** Nearly always there is nothing to do, and no setting to be read. */
  function anyUnready(): boolean {
    for (const { live } of accounts.all())
      if (live.state.kind !== 'ready' || live.state.nextProbeAtMs !== null) return true
    return false
  }

  async function questionFor(account: Account): Promise<{ model: string; request: ProbeRequest } | null> {
    const upstream = parts.upstreams[account.platform]
    if (!upstream) return null
    if (upstream.probe) return { model: '', request: upstream.probe(account) }
    const rows = await parts.database.select(
      "SELECT `model_requested` FROM `logs` WHERE `account_id` = ? AND `outcome` = 'completed' " +
        `ORDER BY \`id\` DESC LIMIT ${lastServed}`,
      [account.id],
    )
    const served = new Set(rows.map(([model]) => String(model)))
    const model = cheapestModel(account, [...served], parts.usage.book(), now())
    return model === null ? null : { model, request: messageProbe(upstream, account, model) }
  }

  async function decide(said: unknown): Promise<string> {
    const { answers } = said as LookedAt
    let back = 0
    for (const { accountId, answer } of answers) {
      const question = asked.get(accountId)
      const account = accounts.byId(accountId)
      if (!question || !account) continue
      const outcome = await settle(account, question, answer)
      if (outcome.ok) back++
    }
    return `${answers.length} asked, ${back} back`
  }

  async function settle(
    account: Account,
    { model, startedMs }: { model: string; startedMs: number },
    answer: ProbeAnswer,
  ): Promise<ProbeOutcome> {
    const { status, durationMs } = answer
    const upstream = parts.upstreams[account.platform]!
    if (upstream.limits) {
      const { ofHeaders, ofProbe } = upstream.limits
      const asked = upstream.probe && status === 200 ? ofProbe(answer.body) : []
      parts.gauges.note(account.id, [...asked, ...ofHeaders(new Map(answer.headers))])
    }
    const verdict =
      status === 0 || status === 200 ? null : upstream.judge(refusalOf(answer, account.secret), model, now())
    const ok = status !== 0 && isBack(account.live.state, verdict, !upstream.probe)
    const message =
      status === 0
        ? answer.problem
        : verdict
          ? `${status} ${verdict.errorType}`
          : ok
            ? 'It answered.'
            : 'It answered, and its limit goes on.'
    let costNano = 0
    if (status === 200 && !upstream.probe) {
      const reading = readUsageFromJson(Buffer.from(answer.body), account.secret)
      costNano = await bookProbe(parts, account, { model, startedMs, durationMs, reading })
    }
    if (ok) {
      const evidence = { status, errorType: verdict?.errorType ?? '', code: '', message: '' }
      accounts.report(account, { kind: 'recovered', startedMs }, { by: 'probe', requestId: '', evidence })
      tries.delete(account.id)
      accounts.probeAt(account, null)
    } else planNext(account)
    const outcome: ProbeOutcome = { ok, status, latencyMs: durationMs, message: message.slice(0, 191) }
    await parts.runs.add({
      job: 'probe',
      accountId: account.id,
      startedAtMs: startedMs,
      durationMs,
      outcome: ok ? 'done' : 'failed',
      status,
      message: outcome.message,
      costNano,
    })
    answerWanted(account.id, outcome)
    return outcome
  }

  function planNext(account: Account): void {
    const count = (tries.get(account.id) ?? 0) + 1
    tries.set(account.id, count)
    if (wantsProbe(account, now())) accounts.probeAt(account, nextLookMs(now(), count, chance(), pace))
  }

  function answerWanted(id: number, outcome: ProbeOutcome): void {
    const waiting = wanted.get(id) ?? []
    wanted.delete(id)
    for (const resolve of waiting) resolve(outcome)
  }

  const job: Job = { name: 'probe', everyMs: parts.everyMs, worker: parts.worker, begin, decide }
  return {
    job,

    /** Asks an account now; the answer is given when the next worker is back. */
    want: (account: Account): Promise<ProbeOutcome> =>
      new Promise((resolve) => {
        const waiting = wanted.get(account.id)
        if (waiting) waiting.push(resolve)
        else wanted.set(account.id, [resolve])
      }),
    isWanted: (): boolean => wanted.size > 0,

    /** The worker ended without a word: its accounts are looked at later, and who waits is told. */
    failed(message: string): void {
      for (const id of asked.keys()) {
        const account = accounts.byId(id)
        if (account) planNext(account)
        answerWanted(id, { ok: false, status: 0, latencyMs: 0, message })
      }
      asked = new Map()
    },
  }
}
