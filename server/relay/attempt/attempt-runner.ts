// Starts attempts: builds the upstream request, sends it, and keeps the running ones on the clock.
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import { withExtraHeaders } from '../../accounts/extra-headers.ts'
import type { Gauges } from '../../accounts/gauges/gauges.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { LiveSource } from '../../live/hub.ts'
import { billedNano } from '../../money/charge.ts'
import type { Reading } from '../../money/reading.ts'
import type { Prices } from '../../prices/open-prices.ts'
import type { Platform, Platforms } from '../../upstreams/platform.ts'
import { Untranslatable } from '../../upstreams/translate/untranslatable.ts'
import { targetOf } from '../../upstreams/transport/target.ts'
import type { Transport } from '../../upstreams/transport/transport.ts'
import { fitsHeader } from '../request/headers.ts'
import type { RelayRequest, RunningRequest } from '../request/relay-request.ts'
import type { RequestCriteria } from '../routing/route-criteria.ts'
import type { createReservations } from '../settlement/reservation.ts'
import type { createAccountOutcome } from './account-outcome.ts'
import { followAttempt } from './attempt.ts'
import type { CallResult, TryResult } from './attempt-result.ts'
import { sendCountEstimate } from './count-estimate.ts'
import { type Attempt, type AttemptParts, readingOf } from './running-attempt.ts'
import { UpstreamCall } from './upstream-call.ts'
import { type BuiltRequest, buildUpstreamRequest } from './upstream-request.ts'

export interface AttemptRunnerParts
  extends Omit<AttemptParts, 'price' | 'noteLimits' | 'onFlow' | 'onUsage' | 'learn'> {
  accounts: Pick<Accounts, 'byId' | 'learnFlags'>
  ledger: Pick<Ledger, 'usage'>
  prices: Pick<Prices, 'price'>
  transport: Pick<Transport, 'send'>
  platforms: Platforms
  gauges: Pick<Gauges, 'note'>
  live: Pick<LiveSource, 'progress'>
  reservations: Pick<ReturnType<typeof createReservations>, 'topUp'>
  outcome: ReturnType<typeof createAccountOutcome>
  /** How many messages, counted from the first, lose their thinking blocks for this account. */
  foreignBefore: (request: RelayRequest, criteria: RequestCriteria, account: Account) => number
}

/** A client may ask for a longer JSON timeout than the relay's, but at most this many times as long. */
const maxJsonTimeoutFactor = 6
/** So often may one upstream say that it wants a request written in another way. */
const maxLessons = 6
/** Usage of a growing response is recorded once a second; a little less, so that a late tick of the clock does not skip one. */
const usageEveryMs = 950

export function createAttemptRunner(parts: AttemptRunnerParts) {
  const { accounts, ledger, prices, live, timers, now, outcome } = parts
  const attemptParts: AttemptParts = {
    ...parts,
    price: prices.price,
    noteLimits(account, headers) {
      const { limits } = platformOf(account)
      if (limits) parts.gauges.note(account.id, limits.ofHeaders(headers.beginningWith(limits.prefix), now()))
    },
    learn(account, error) {
      const { flags } = accounts.byId(account.id) ?? account
      const learnt = platformOf(account).learnFlags?.(error, flags)
      if (learnt) accounts.learnFlags(account.id, learnt)
      return learnt != null
    },
    onFlow(attempt) {
      if (attempt.reader !== null) topUp(attempt, readingOf(attempt, attempt.reader.interimReading()))
    },
    onUsage: recordUsage,
  }

  /** For the journal: what a request is billed for when the process dies under it. */
  function recordUsage(attempt: Attempt): void {
    const { ledgerId, metered } = attempt.running.request
    if (!metered) return
    const { account, modelSent } = attempt
    const reading = readingOf(attempt)
    attempt.recorded = { atMs: now(), output: reading.tokens.output }
    ledger.usage(ledgerId, { accountId: account.id, modelSent, reading })
  }

  const clock = createClock({ tickMs: timers.tickMs, now, onTick })

  function platformOf({ platform: name }: Account): Platform {
    const platform = parts.platforms[name]
    if (!platform) throw new Error(`the platform ${name} is not served`)
    return platform
  }

  async function run(
    running: RunningRequest,
    account: Account,
    criteria: RequestCriteria,
    mayRenew: boolean,
  ): Promise<CallResult> {
    const { request } = running
    const platform = platformOf(account)
    if (!request.metered && platform.format !== request.format) return { kind: 'done', end: sendCountEstimate(running) }
    for (let lessons = 0; ; lessons++) {
      const { flags } = accounts.byId(account.id) ?? account
      const built = builtFor(request, flags === account.flags ? account : { ...account, flags }, platform, criteria)
      if ('field' in built) return { kind: 'unfit', ...built }
      const attempt = attemptAt(running, account, built, mayRenew, lessons < maxLessons)
      const result = await runOnce(attempt, built)
      if (result.kind !== 'learnt') return result
    }
  }

  async function runOnce(attempt: Attempt, { head, body }: BuiltRequest): Promise<TryResult> {
    const { running, account } = attempt
    const { request } = running
    showAttempt(attempt)
    const isTrial = outcome.begun(request, account)
    clock.add(attempt)
    try {
      const result = followAttempt(attempt, attemptParts)
      if (running.client.hasLeft) attempt.call.stop({ by: 'client' })
      else if (!fitsHeader(account.secret)) attempt.call.onError(badSecret())
      else
        parts.transport.send(
          targetOf(account),
          {
            ...head,
            headers: withExtraHeaders(head.headers, account.extraHeaders),
            body: [body],
            bodyBytes: body.length,
          },
          attempt.call,
          account.timers.connectMs ?? undefined,
        )
      return await result
    } finally {
      // Also where something of ours failed: nothing stays open upstream.
      attempt.call.stop({ by: 'reader' })
      clock.delete(attempt)
      giveBack(attempt)
      if (isTrial) outcome.trialEnded(request, account)
    }
  }

  /** What was kept is free again: at once where the client has nothing of it, else when the client has taken it. */
  function giveBack({ running: { client, request }, keptBytes }: Attempt): void {
    if (keptBytes === 0) return
    const give = () => parts.responseBudget.shareOf(request.key.id).give(keptBytes)
    if (client.headersSent) client.whenClosed(give)
    else give()
  }

  function builtFor(
    request: RelayRequest,
    account: Account,
    platform: Platform,
    criteria: RequestCriteria,
  ): BuiltRequest | { field: string; message: string } {
    try {
      return buildUpstreamRequest(request, account, platform, parts.foreignBefore(request, criteria, account))
    } catch (error) {
      if (error instanceof Untranslatable) return { field: error.field, message: error.message }
      throw error
    }
  }

  function attemptAt(
    running: RunningRequest,
    account: Account,
    { responses, isWritten, isTranslated }: BuiltRequest,
    mayRenew: boolean,
    mayLearn: boolean,
  ): Attempt {
    return {
      running,
      account,
      secret: account.secret,
      format: platformOf(account).format,
      responses,
      isTranslated,
      mayLearn: mayLearn && isWritten,
      modelSent: account.mapping.map(running.request.model),
      startedAtMs: now(),
      firstByteMs: firstByteMs(running.request, account),
      idleMs: account.timers.idleMs ?? timers.idleMs,
      mayRenew,
      call: new UpstreamCall(now),
      head: null,
      reader: null,
      recorded: null,
      leftAtMs: 0,
      keptBytes: 0,
      canReadOn: true,
      onTick: () => {},
      onLeave: () => {},
    }
  }

  function firstByteMs({ stream, clientHeaders }: RelayRequest, account: Account): number {
    if (account.timers.firstByteMs !== null) return account.timers.firstByteMs
    if (stream) return timers.firstByteStreamMs
    const said = Number(clientHeaders['x-stainless-timeout'])
    return said > 0 ? Math.min(said * 1000, timers.firstByteJsonMs * maxJsonTimeoutFactor) : timers.firstByteJsonMs
  }

  function showAttempt({ running, account }: Attempt): void {
    const { live: shown } = running
    if (!shown) return
    shown.attempt++
    shown.accountId = account.id
    shown.accountName = account.name
    live.progress(shown)
  }

  /** A request that costs more than it has reserved reserves more, or is stopped. */
  function topUp({ running, account, call }: Attempt, reading: Reading): void {
    const { request, reservation } = running
    if (reservation.claims.length === 0) return
    const { totalNano } = prices.price(reading, request.id.atMs, account.id)
    const spentNano = billedNano(totalNano, request.key)
    parts.reservations.topUp(reservation, request, spentNano, () => call.stop({ by: 'limit' }))
  }

  /** Once in a while: what it has reserved, and its tokens so far for those who watch. */
  function onTick(attempt: Attempt): void {
    const { request, client, live: shown } = attempt.running
    if (attempt.reader === null) return
    const reading = readingOf(attempt, attempt.reader.interimReading())
    topUp(attempt, reading)
    const { recorded } = attempt
    if (recorded && now() - recorded.atMs >= usageEveryMs && reading.tokens.output > recorded.output)
      recordUsage(attempt)
    if (!shown || client.firstByteAtMs === 0) return
    const { tokens } = reading
    shown.firstByteMs = client.firstByteAtMs - request.id.atMs
    shown.inputTokens = tokens.input + tokens.cacheRead + tokens.cacheWrite5m + tokens.cacheWrite1h
    shown.outputTokens = tokens.output
    live.progress(shown)
  }

  return {
    run,
    renewsTokens: (account: Account): boolean => platformOf(account).renewsTokens,
    /** Ends the running attempts: the process stops. */
    cutOff(): void {
      for (const { call } of clock.running) call.stop({ by: 'shutdown' })
    },
  }
}

const badSecret = (): Error =>
  Object.assign(new Error('The upstream API key contains characters that a header cannot carry'), {
    code: 'UPSTREAM_BAD_SECRET',
  })

/** One clock for all running attempts. `onTick` is called for each after its own deadlines. It stands still while there is none. */
function createClock(parts: { tickMs: number; now: () => number; onTick: (attempt: Attempt) => void }) {
  const running = new Set<Attempt>()
  let timer: NodeJS.Timeout | null = null

  function tick(): void {
    const nowMs = parts.now()
    for (const attempt of running) {
      attempt.onTick(nowMs)
      parts.onTick(attempt)
    }
  }

  return {
    running: running as ReadonlySet<Attempt>,
    add(attempt: Attempt): void {
      running.add(attempt)
      timer ??= setInterval(tick, parts.tickMs)
    },
    delete(attempt: Attempt): void {
      running.delete(attempt)
      if (running.size > 0 || timer === null) return
      clearInterval(timer)
      timer = null
    },
  }
}
