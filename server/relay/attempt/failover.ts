// Over 300 lines: being taken apart.
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Gauges } from '../../accounts/gauges/gauges.ts'
import type { Renewals } from '../../accounts/login/oauth-renewal.ts'
import { isEligible } from '../../accounts/state/eligibility.ts'
import { readyState } from '../../accounts/state/state.ts'
import { createComings } from '../../comings.ts'
import type { Failure } from '../../errors.ts'
import { sendFailure } from '../../http/send-failure.ts'
import type { Outcome } from '../../ledger/entry.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { LiveSource } from '../../live/hub.ts'
import type { Prices } from '../../prices/open-prices.ts'
import type { Counters } from '../../store/counters.ts'
import type { Classifier } from '../../upstreams/classify.ts'
import type { Platform, Platforms } from '../../upstreams/platform.ts'
import type { Transport } from '../../upstreams/transport/transport.ts'
import type { AttemptResult, CallResult, Disconnect, Exchange, ForwardTimers } from '../request/exchange.ts'
import { fitsHeader } from '../request/headers.ts'
import { createStickiness, type TrialWish } from '../routing/affinity.ts'
import type { Places } from '../routing/slots.ts'
import { createTokenKeeper } from './access-token.ts'
import { type CallParts, UpstreamCall } from './attempt.ts'
import { upstreamBody } from './body-edits.ts'
import { createConsequences, type Doubts } from './consequences.ts'
import { exhausted, restarting } from './exhausted.ts'
import { createLimitNotes } from './limit-notes.ts'

export interface FailoverParts {
  accounts: Accounts
  prices: Prices
  ledger: Ledger
  counters: Counters
  transport: Transport
  platforms: Platforms
  classifier: Classifier
  gauges: Pick<Gauges, 'note'>
  renew: Renewals['renew']
  timers: ForwardTimers
  disconnect: Disconnect
  /** The largest event of a stream, in bytes. */
  mostEventBytes: number
  now: () => number
  chance: () => number
  onError: (error: unknown, requestId: string) => void
  live: LiveSource
  places: Places
  /** Requests under way in the relay, for the retry budget. */
  inFlight: () => number
}

/** How a request ended, for its row. */
export interface Ended {
  outcome: Exclude<Outcome, 'interrupted'>
  httpStatus: number
  errorType: string
}

export interface Failover {
  /** What a request wants of an account, with the one its conversation went to before. */
  wishOf(exchange: Exchange): TrialWish
  /**
   * Tries accounts, `first` first, until one answers; without a first one the request waits for a free place if that is
   * what is missing. What is left at the end goes to the client as an error.
   */
  forward(exchange: Exchange, first: Account | undefined, wish: TrialWish): Promise<Ended>
  /** Ends every answer under way with an error: the process stops. */
  cutOff(): void
}

const clientLeft: Ended = { outcome: 'aborted', httpStatus: 0, errorType: 'client_left' }

/** At most this many accounts are tried after the first. */
const mostFailovers = 2
/** Retries may be a fifth of what is in flight, but three always. */
const retryShare = 0.2
const fewestRetries = 3

/** Which account serves a request, and what happens when it does not. */
export function createFailover(parts: FailoverParts): Failover {
  const { accounts, prices, ledger, counters, timers, now, places } = parts
  const consequences = createConsequences({ accounts, now })
  const calls = createComings<UpstreamCall>()
  const { wishOf, remember, foreignBefore } = createStickiness(parts)
  let retrying = 0
  let stopping = false
  let ticker: NodeJS.Timeout | null = null

  /** Tries accounts until one answers; what is left at the end goes to the client as an error of ours, or the upstream's own. */
  async function forward(exchange: Exchange, first: Account | undefined, wish: TrialWish): Promise<Ended> {
    let account: Account | undefined
    if (!stopping) account = first && mayStill(exchange, first) ? first : await waitInLine(exchange, first, wish)
    let last: Extract<AttemptResult, { kind: 'next' }> | null = null
    let misconfigured = true
    let doubts: Doubts | null = null
    for (let failovers = 0; account !== undefined; failovers++) {
      const isRetry = last !== null && !last.connectPhase
      // Before a renewal too, that many may wait for.
      if (isRetry) retrying++
      let result: AttemptResult
      try {
        result = await withFreshToken(exchange, account)
      } finally {
        if (isRetry) retrying--
      }
      if (result.kind === 'done') {
        if (doubts && result.outcome === 'completed') consequences.answered(doubts)
        if (result.outcome === 'completed') remember(exchange, account)
        return result
      }
      if (result.kind === 'caller')
        return exchange.clientLeft ? clientLeft : passOn(exchange, result.refusal, result.errorType)
      wish.tried.add(account.id)
      doubts = consequences.failed(exchange, account, result, doubts)
      places.free(exchange)
      misconfigured &&= result.misconfigured
      last = result
      if (exchange.clientLeft) return clientLeft
      const mayRetry =
        failovers < mostFailovers &&
        (result.connectPhase || retrying < Math.max(fewestRetries, parts.inFlight() * retryShare))
      if (!mayRetry) break
      wish.nowMs = now()
      account = places.take(exchange, wish) ?? (await waitInLine(exchange, undefined, wish))
    }
    if (exchange.clientLeft) return clientLeft
    if (last?.refusal && last.refusal.status < 500 && (last.passIfLast || doubts?.isRequests) && exchange.metered)
      return passOn(exchange, last.refusal, last.errorType)
    if (stopping && last === null) return restarted(exchange)
    wish.nowMs = now()
    return giveUp(exchange, exhausted(exchange, accounts.ofGroup(exchange.key.groupId), wish, last, misconfigured))
  }

  /** False when the account chosen has gone meanwhile, or another request's trial has begun there. */
  function mayStill(exchange: Exchange, { live }: Account): boolean {
    return live.state === readyState || isEligible(live.state, exchange.model, now())
  }

  /** Another account than `lost`: at once, or when the request's turn in the line has come. */
  async function waitInLine(exchange: Exchange, lost: Account | undefined, wish: TrialWish) {
    for (let account = lost; ; ) {
      wish.nowMs = now()
      if (account) {
        places.free(exchange)
        account = places.take(exchange, wish)
        if (account) return account
      }
      account = await places.await(exchange, wish)
      if (!account || mayStill(exchange, account)) return account
    }
  }

  function platformOf({ platform: name }: Account): Platform {
    const platform = parts.platforms[name]
    if (!platform) throw new Error(`the platform ${name} is not served`)
    return platform
  }

  const renews = (account: Account): boolean => platformOf(account).renewsTokens
  const { withFreshToken, cutOff: endWaits } = createTokenKeeper({ ...parts, renews, callOnce })

  /** Not async, and one promise: this is on the path of every request. */
  function callOnce(exchange: Exchange, account: Account): Promise<CallResult> {
    // Nothing begins any more that nobody would cut off.
    if (stopping) return Promise.resolve({ kind: 'done', ...restarted(exchange) })
    const platform = platformOf(account)
    const isTrial = consequences.begun(exchange, account)
    const modelSent = account.mapping.map(exchange.model)
    const dropTags = exchange.hasTags && !platform.isFirstParty(account)
    const body = upstreamBody(
      exchange.body,
      { span: exchange.modelSpan, from: exchange.model, to: modelSent },
      dropTags,
      foreignBefore(exchange, account),
    )
    const { told } = exchange
    if (told) {
      told.attempt++
      told.accountId = account.id
      told.accountName = account.name
      parts.live.progress(told)
    }
    return new Promise<CallResult>((resolve) => {
      const call = new UpstreamCall(
        exchange,
        account,
        platform.format,
        modelSent,
        firstByteMs(exchange),
        callParts,
        (result) => {
          calls.delete(call)
          if (isTrial) consequences.trialEnded(exchange, account)
          resolve(result)
        },
      )
      calls.add(call)
      ticker ??= startTicker()
      if (exchange.clientLeft) return call.clientIsGone()
      if (!fitsHeader(account.secret)) return call.onError(badSecret())
      const { path, query, headers } = exchange
      const request = platform.buildRequest(account, { path, query, headers, dropTags })
      const asked = { ...request, body: [body], bodyBytes: body.length }
      parts.transport.send(account.origin, account.proxy, asked, call)
    })
  }

  const callParts: CallParts = {
    renews,
    noteLimits: createLimitNotes({ gauges: parts.gauges, platformOf }),
    classify: (account, response, model) => parts.classifier.classify(account, response, model, now()),
    classifyEvent: (account, error, model) => parts.classifier.classifyEvent(account, error, model, now()),
    timers,
    disconnect: parts.disconnect,
    mostEventBytes: parts.mostEventBytes,
    now,
    report: accounts.report,
    price: prices.price,
    onUsage: (exchange, account, modelSent, reading) => {
      if (exchange.metered) ledger.usage(exchange.ledgerId, { accountId: account.id, modelSent, reading })
    },
  }

  function firstByteMs(exchange: Exchange): number {
    if (exchange.stream) return timers.firstByteStreamMs
    const said = Number(exchange.req.headers['x-stainless-timeout'])
    return said > 0 ? Math.min(said * 1000, timers.firstByteJsonMs * 6) : timers.firstByteJsonMs
  }

  /** One clock for all calls under way; it stops when there are none. */
  function startTicker(): NodeJS.Timeout {
    return setInterval(() => {
      const at = now()
      calls.visit((call) => {
        call.tick(at)
        topUp(call)
        tellProgress(call)
      })
      if (calls.size() === 0 && ticker) {
        clearInterval(ticker)
        ticker = null
      }
    }, timers.tickMs)
  }

  /** Tokens so far, at the pace of the clock; the hub slows it down further. */
  function tellProgress(call: UpstreamCall): void {
    const { exchange } = call
    const { told } = exchange
    if (!told || !exchange.stream || exchange.firstByteAtMs === 0) return
    const { tokens } = call.readingInBetween()
    told.firstByteMs = exchange.firstByteAtMs - exchange.id.atMs
    told.inputTokens = tokens.input + tokens.cacheRead + tokens.cacheWrite5m + tokens.cacheWrite1h
    told.outputTokens = tokens.output
    parts.live.progress(told)
  }

  /** A request that costs more than it holds holds more. */
  function topUp(call: UpstreamCall): void {
    const { exchange } = call
    if (exchange.ticket.claims.length === 0) return
    const costNano = prices.price(call.readingInBetween(), exchange.id.atMs).totalNano
    if (costNano <= exchange.ticket.heldNano) return
    exchange.ticket = { ...exchange.ticket, heldNano: costNano }
    counters.top(exchange.id.text, costNano).catch((error: unknown) => parts.onError(error, exchange.id.text))
  }

  function passOn(
    exchange: Exchange,
    refusal: { status: number; headers: string[]; body: Buffer },
    errorType: string,
  ): Ended {
    const { res, id } = exchange
    if (!res.headersSent && !res.destroyed) {
      exchange.firstByteAtMs = now()
      res.writeHead(refusal.status, [
        ...refusal.headers,
        'content-length',
        String(refusal.body.length),
        'x-request-id',
        id.text,
      ])
      res.end(refusal.body)
    }
    return { outcome: 'failed', httpStatus: refusal.status, errorType }
  }

  const restarted = (exchange: Exchange): Ended => (exchange.clientLeft ? clientLeft : giveUp(exchange, restarting()))

  function giveUp(exchange: Exchange, failure: Failure): Ended {
    if (!exchange.res.destroyed) exchange.firstByteAtMs = now()
    sendFailure(exchange.req, exchange.res, failure, exchange.id.text)
    return { outcome: 'failed', httpStatus: failure.status, errorType: failure.code }
  }

  return {
    wishOf,
    forward,
    cutOff() {
      stopping = true
      places.cutOff()
      endWaits()
      calls.visit((call) => call.cutOff())
    },
  }
}

const badSecret = (): Error =>
  Object.assign(new Error('The secret holds what no header can carry'), { code: 'UPSTREAM_BAD_SECRET' })
