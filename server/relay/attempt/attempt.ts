// Over 300 lines: the phases of one call share one state; cut apart they would need it passed around.
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Account } from '../../accounts/account.ts'
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import { sendFailure } from '../../http/send-failure.ts'
import type { AttemptOutcome } from '../../ledger/entry.ts'
import type { Cost } from '../../money/cost.ts'
import type { Reading } from '../../money/reading.ts'
import { noReading } from '../../money/reading.ts'
import type { Classification, ErrorResponse } from '../../upstreams/classification.ts'
import type { Format, StreamReader, UpstreamError } from '../../upstreams/format.ts'
import { bytesWithoutSecret } from '../../upstreams/quoted-secret.ts'
import {
  codeOfError,
  type Explained,
  explain,
  explainFailure,
  type FailureCause,
  told,
} from '../../upstreams/transport/failure-cause.ts'
import type { ResponseListener } from '../../upstreams/transport/response-listener.ts'
import {
  type CallResult,
  type Disconnect,
  type Exchange,
  errorBytesLimit,
  type ForwardTimers,
  heldBytesLimit,
  jsonBytesLimit,
} from '../request/exchange.ts'
import { AnswerHeaders } from '../request/headers.ts'
import { restarting } from './exhausted.ts'

/** What an upstream call needs of its surroundings. */
export interface CallParts {
  /** True when a refused access token can be renewed. */
  renews: (account: Account) => boolean
  /** Any answer has come: what its headers tell of the account's limits. */
  noteLimits: (account: Account, answer: AnswerHeaders) => void
  classify: (account: Account, response: ErrorResponse, model: string) => Classification
  classifyEvent: (account: Account, error: UpstreamError, model: string) => Classification
  timers: ForwardTimers
  disconnect: Disconnect
  mostEventBytes: number
  now: () => number
  report: (account: Account, event: AccountEvent, cause: Cause) => void
  price: (reading: Reading, atMs: number) => Cost
  /** Usage at message_start, for the journal. */
  onUsage: (exchange: Exchange, account: Account, modelSent: string, reading: Reading) => void
}

const answered: AccountEvent = Object.freeze({ kind: 'answered' })

type Phase = 'connecting' | 'waiting' | 'held' | 'flowing' | 'json' | 'refused' | 'draining' | 'ended'

/**
 * One upstream call: what its answer does to the client's, the commit point, the meter beside the bytes, and the clock.
 * A class: its methods are shared by all calls under way.
 */
export class UpstreamCall implements ResponseListener {
  readonly account: Account
  readonly modelSent: string
  readonly startedAtMs: number
  readonly exchange: Exchange
  /** Among the calls under way. */
  place = -1
  /** What it was opened with; the account may have another one before it ends. */
  private readonly secret: string
  private readonly parts: CallParts
  private readonly finished: (result: CallResult) => void
  private readonly firstByteMs: number

  private phase: Phase = 'connecting'
  private abort: ((reason?: Error) => void) | null = null
  private resumeUpstream: (() => void) | null = null
  private decoder: ReturnType<typeof createGunzip> | null = null
  private status = 0
  private answer: AnswerHeaders | null = null
  private upstreamFirstByteAtMs = 0
  private lastByteAtMs: number
  private headersAtMs = 0
  private lastPingAtMs = 0
  private blockedSinceMs = 0
  private stoppedAtMs = 0
  /** When the client left an answer that is read on; 0: it is there. */
  private leftAtMs = 0
  private chunks: Buffer[] = []
  private chunkBytes = 0
  private readonly format: Format
  private readonly events: StreamReader | null
  private upstreamEnded = false

  constructor(
    exchange: Exchange,
    account: Account,
    format: Format,
    modelSent: string,
    firstByteMs: number,
    parts: CallParts,
    finished: (result: CallResult) => void,
  ) {
    this.exchange = exchange
    this.account = account
    this.secret = account.secret
    this.modelSent = modelSent
    this.parts = parts
    this.finished = finished
    this.firstByteMs = firstByteMs
    this.startedAtMs = parts.now()
    this.lastByteAtMs = this.startedAtMs
    this.format = format
    this.events = exchange.stream ? format.createStreamReader(this.secret) : null
    exchange.call = this
  }

  // ── the upstream's side ─────────────────────────────────────────────────────────────────────────────────────────────

  onConnect(abort: (reason?: Error) => void): void {
    this.abort = abort
    if (this.phase === 'ended') abort()
    else this.phase = 'waiting'
  }

  onHeaders(status: number, rawHeaders: string[], resume: () => void): void {
    if (this.phase === 'ended') return
    this.resumeUpstream = resume
    this.status = status
    this.answer = new AnswerHeaders(rawHeaders)
    this.answer.forget(this.secret)
    this.parts.noteLimits(this.account, this.answer)
    this.headersAtMs = this.parts.now()
    this.upstreamFirstByteAtMs = this.headersAtMs
    this.lastByteAtMs = this.headersAtMs
    this.phase = status === 200 ? (this.exchange.stream ? 'held' : 'json') : 'refused'
    if (this.phase === 'held' && this.leftAtMs > 0) this.phase = 'draining'
    if (this.phase !== 'refused' && !this.contentTypeFits()) {
      const type = this.answer.contentType.slice(0, 60) || '(none)'
      this.failUpstream('wrong_content_type', `200 with content-type ${type}`)
      return
    }
    this.startDecoder()
  }

  onData(chunk: Buffer): boolean {
    this.lastByteAtMs = this.parts.now()
    if (this.decoder) return this.decoder.write(chunk)
    return this.take(chunk)
  }

  onComplete(): void {
    this.upstreamEnded = true
    if (this.decoder && this.phase !== 'ended') this.decoder.end()
    else this.complete()
  }

  onError(error: Error): void {
    if (this.phase === 'ended') return
    const explained = explainFailure(error, this.account)
    if (this.phase === 'connecting' || this.headersAtMs === 0) {
      this.failUpstream(codeOfError(error), explained, {
        connectPhase: this.phase === 'connecting',
        misconfigured: explained.cause === 'address_refused',
      })
    } else this.broken({ ...explained, reason: `${explained.reason}, in the middle of its answer` })
  }

  // ── the answer, decoded ──────────────────────────────────────────────────────────────────────────────────────────

  private take(chunk: Buffer): boolean {
    switch (this.phase) {
      case 'held':
      case 'flowing':
        return this.takeStream(chunk)
      case 'draining':
        return this.takeUnheard(chunk)
      case 'json':
        return this.collect(chunk, jsonBytesLimit)
      case 'refused':
        return this.collect(chunk, errorBytesLimit)
      default:
        return true
    }
  }

  private collect(chunk: Buffer, limit: number): boolean {
    this.hold(chunk)
    if (this.chunkBytes <= limit) return true
    if (this.phase === 'refused') this.judgeRefusal()
    else this.failUpstream('answer_too_large', `a JSON answer of more than ${limit} bytes`)
    return true
  }

  private hold(bytes: Buffer): void {
    this.chunks.push(bytes)
    this.chunkBytes += bytes.length
  }

  private takeStream(chunk: Buffer): boolean {
    const events = this.events!
    const whole = this.readEvents(chunk)
    if (this.phase === 'flowing') {
      for (const bytes of whole) this.send(bytes)
      if (events.eventBytes > this.parts.mostEventBytes) this.breakOffLarge()
      return this.blockedSinceMs === 0
    }
    for (const bytes of whole) this.hold(bytes)
    if (events.error !== null && !events.hasContent) {
      this.failByEvent(events.error)
      return true
    }
    if (events.hasContent || this.chunkBytes + events.heldBytes > heldBytesLimit || events.flowing) this.commit()
    return true
  }

  /** Whole events of the chunk, or of what is left at the end. */
  private readEvents(chunk: Buffer | null): Buffer[] {
    const events = this.events!
    const whole = chunk === null ? events.end() : events.push(chunk)
    if (this.stoppedAtMs === 0 && (events.isFinished || events.error !== null)) this.stoppedAtMs = this.parts.now()
    if (events.usageChanged()) this.parts.onUsage(this.exchange, this.account, this.modelSent, this.readingSoFar())
    return whole
  }

  /** Read for its usage alone. */
  private takeUnheard(chunk: Buffer): boolean {
    this.readEvents(chunk)
    if (this.events!.eventBytes > this.parts.mostEventBytes) this.breakOffLarge()
    return true
  }

  /** The account is fixed: the client gets its status and what was held. */
  private commit(): void {
    this.phase = 'flowing'
    const { res } = this.exchange
    const headers = this.answer!.forClient(false)
    if (!headers.includes('content-type')) headers.push('content-type', 'text/event-stream')
    headers.push('cache-control', 'no-cache', 'x-accel-buffering', 'no')
    this.writeHead(200, headers)
    res.onDrain(() => this.drained())
    const held = this.chunks
    this.chunks = []
    if (held.length === 0) res.flushHeaders()
    for (const bytes of held) this.send(bytes)
  }

  private writeHead(status: number, headers: string[]): void {
    if (this.answer!.requestId === '') headers.push('request-id', this.exchange.id.text)
    headers.push('x-request-id', this.exchange.id.text)
    const { ticket } = this.exchange
    if (ticket.headers.length > 0) headers.push(...ticket.headers)
    this.exchange.res.writeHead(status, headers)
    this.exchange.firstByteAtMs = this.parts.now()
  }

  /** The answer takes the bytes over, and gathers what one tick brings. */
  private send(bytes: Buffer): void {
    const { res } = this.exchange
    if (!res.destroyed && !res.write(bytes) && this.blockedSinceMs === 0) this.blockedSinceMs = this.parts.now()
  }

  private drained(): void {
    if (this.blockedSinceMs === 0) return
    this.blockedSinceMs = 0
    // Silence while the client was slow is not the upstream's.
    this.lastByteAtMs = this.parts.now()
    if (this.decoder) this.decoder.resume()
    else this.resumeUpstream?.()
  }

  // ── the ends ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private complete(): void {
    switch (this.phase) {
      case 'refused':
        return this.judgeRefusal()
      case 'json':
        return this.completeJson()
      case 'held':
      case 'flowing':
      case 'draining':
        return this.completeStream()
      default:
        return
    }
  }

  private completeStream(): void {
    for (const bytes of this.readEvents(null)) {
      if (this.phase === 'held') this.hold(bytes)
      else this.send(bytes)
    }
    const { error, hasContent } = this.events!
    if (this.phase === 'held' && (hasContent || this.stoppedAtMs > 0) && error === null) this.commit()
    if (this.phase === 'held' && error !== null) return this.failByEvent(error)
    if (this.phase === 'held') return this.broken('the answer ended before any content')
    if (error !== null) return this.endWithUpstreamError(error)
    if (this.stoppedAtMs === 0) return this.broken('the answer ended without message_stop')
    this.endAnswer()
    this.parts.report(this.account, answered, this.causeOf(null))
    this.settle('answer', '', true)
    this.finish({ kind: 'done', outcome: 'completed', httpStatus: 200, errorType: '' })
  }

  private completeJson(): void {
    const body = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks)
    const { problem, reading: told } = this.format.readJson(body, this.secret)
    if (problem !== '') return this.failUpstream('bad_answer', `200 with ${problem}`)
    const reading = this.exchange.metered ? told : noReading
    if (this.leftAtMs === 0) {
      const headers = this.answer!.forClient(false)
      headers.push('content-length', String(body.length))
      this.writeHead(200, headers)
      this.endAnswer(body)
    }
    // A count says nothing of how the account does with messages.
    if (this.exchange.metered) this.parts.report(this.account, answered, this.causeOf(null))
    this.settle('answer', '', true, reading)
    this.finish({ kind: 'done', outcome: 'completed', httpStatus: 200, errorType: '' })
  }

  /** The upstream broke off. Before the commit another account is tried; after it the client is told by an error event. */
  private broken(why: string | Explained): void {
    // Its last event has been: how the connection ends says nothing more.
    if (this.stoppedAtMs > 0 && this.phase !== 'json' && this.phase !== 'refused') return this.completeStream()
    if (this.phase !== 'flowing' && this.phase !== 'draining')
      return this.failUpstream('broken_answer', why, { cause: 'ended_early' })
    this.reportFailure('broken_answer', why, 'ended_early')
    this.breakOff('broken_answer', 'The upstream broke off in the middle of its answer.')
  }

  private breakOffLarge(): void {
    const reason = `an event of more than ${this.parts.mostEventBytes} bytes`
    this.reportFailure('event_too_large', reason, 'event_too_large')
    this.breakOff('event_too_large', reason)
  }

  /** An answer under way cannot be finished. */
  private breakOff(errorType: string, message: string): void {
    const { res } = this.exchange
    // What has gone out is whole events, unless one too large to hold was on its way: then only a reset is honest.
    if (this.events!.flowing) {
      res.destroy()
    } else {
      this.endAnswer(this.format.errorEvent('api_error', message, this.exchange.id.text))
    }
    this.settle('failing', errorType, true)
    this.finish({ kind: 'done', outcome: 'failed', httpStatus: 200, errorType })
  }

  private endAnswer(last?: Buffer): void {
    const { res } = this.exchange
    if (res.destroyed) return
    res.end(last)
  }

  private failByEvent(error: UpstreamError): void {
    this.fail(this.parts.classifyEvent(this.account, error, this.exchange.model), false)
  }

  /** The upstream itself ended its answer with an error event, which has gone out. */
  private endWithUpstreamError(error: UpstreamError): void {
    const verdict = this.parts.classifyEvent(this.account, error, this.exchange.model)
    if (verdict.event) this.parts.report(this.account, verdict.event, this.causeOf(verdict))
    this.endAnswer()
    this.settle('failing', error.type, true, undefined, error.code)
    this.finish({ kind: 'done', outcome: 'failed', httpStatus: 200, errorType: error.type })
  }

  private judgeRefusal(): void {
    // An access token may end before its time: a renewal and one more try decide, not this answer.
    if (this.status === 401 && this.parts.renews(this.account) && this.exchange.renewedId !== this.account.id) {
      this.settle('refused', 'authentication_error', false)
      return this.finish({ kind: 'unauthorized' })
    }
    const body = bytesWithoutSecret(Buffer.concat(this.chunks), this.secret)
    const headers = this.answer!.all()
    const verdict = this.parts.classify(this.account, { status: this.status, headers, body }, this.exchange.model)
    const refusal = { status: this.status, headers: this.answer!.forClient(true), body }
    if (this.answer!.requestId === '') refusal.headers.push('request-id', this.exchange.id.text)
    if (verdict.kind === 'caller') {
      this.settle('caller', verdict.errorType, false, undefined, verdict.evidence.code)
      this.finish({ kind: 'caller', errorType: verdict.errorType, refusal })
      return
    }
    this.fail(verdict, false, refusal)
  }

  /** `why` in words of its own has `cause`, or the error's own name, for a cause. */
  private failUpstream(
    errorType: string,
    why: string | Explained,
    more: { connectPhase?: boolean; misconfigured?: boolean; cause?: FailureCause } = {},
  ): void {
    const verdict = this.failure(errorType, why, more.cause ?? (errorType as FailureCause))
    this.fail({ ...verdict, misconfigured: more.misconfigured === true }, more.connectPhase === true)
  }

  private reportFailure(errorType: string, why: string | Explained, cause: FailureCause): void {
    const verdict = this.failure(errorType, why, cause)
    if (verdict.event) this.parts.report(this.account, verdict.event, this.causeOf(verdict))
  }

  private failure(errorType: string, why: string | Explained, ownCause: FailureCause): Classification {
    const { cause, reason, place } = typeof why === 'string' ? told(ownCause, why, this.account) : why
    return {
      kind: 'failing',
      errorType,
      event: { kind: 'failed', reason, fault: { cause, place } },
      evidence: { status: this.status, errorType, code: cause, message: place },
    }
  }

  private noAnswer(): void {
    this.failUpstream('first_byte_timeout', explain('no_answer', 'first_byte_timeout', this.account, this.firstByteMs))
  }

  private fail(
    verdict: Classification,
    connectPhase: boolean,
    refusal: { status: number; headers: string[]; body: Buffer } | null = null,
  ): void {
    this.settle(verdict.kind, verdict.errorType, false, undefined, verdict.evidence.code)
    this.finish({
      kind: 'next',
      errorType: verdict.errorType,
      connectPhase,
      misconfigured: verdict.misconfigured === true,
      // count_tokens has limits of its own upstream: they say nothing about messages.
      event: this.exchange.metered ? (verdict.event ?? null) : null,
      cause: this.causeOf(verdict),
      sameAs: verdict.sameAs ?? '',
      passIfLast: verdict.passIfLast === true,
      refusal,
    })
  }

  private causeOf(verdict: Classification | null): Cause {
    return {
      by: verdict?.rule === undefined ? 'request' : 'rule',
      requestId: this.exchange.id.text,
      evidence: verdict?.evidence ?? null,
    }
  }

  clientIsGone(): void {
    if (this.phase === 'ended' || (this.parts.disconnect === 'drain' && this.readOn())) return
    this.abandon()
  }

  /** An answer that is on its way, and will be billed, is read to its usage. False when there is none. */
  private readOn(): boolean {
    if (!this.exchange.metered || this.phase === 'connecting' || this.phase === 'refused') return false
    this.leftAtMs = this.parts.now()
    if (this.phase !== 'held' && this.phase !== 'flowing') return true
    this.phase = 'draining'
    this.chunks = []
    this.drained()
    return true
  }

  private abandon(): void {
    this.settle('aborted', 'client_left', ['held', 'flowing', 'draining'].includes(this.phase))
    this.finish(this.abandoned())
  }

  private abandoned(): CallResult {
    const httpStatus = this.exchange.firstByteAtMs > 0 ? 200 : 0
    return { kind: 'done', outcome: 'aborted', httpStatus, errorType: 'client_left' }
  }

  /** What the upstream has said of usage up to now. */
  readingSoFar(): Reading {
    return this.named(this.events?.reading() ?? noReading)
  }

  /** The same for those who look in between, of what it counts and costs. */
  readingInBetween(): Reading {
    return this.named(this.events?.readingInBetween() ?? noReading)
  }

  private named(reading: Reading): Reading {
    return reading.model === '' ? { ...reading, model: this.modelSent } : reading
  }

  /** The process stops: whoever still waits is told. The account is not to blame, and no other one is tried. */
  cutOff(): void {
    if (this.phase === 'ended') return
    const failure = restarting()
    if (this.phase === 'flowing' || this.phase === 'draining') return this.breakOff(failure.code, failure.message)
    const { req, res, id } = this.exchange
    sendFailure(req, res, failure, id.text)
    this.settle('failing', failure.code, false)
    this.finish({ kind: 'done', outcome: 'failed', httpStatus: failure.status, errorType: failure.code })
  }

  private settle(outcome: AttemptOutcome, errorType: string, charged: boolean, json?: Reading, errorCode = ''): void {
    const reading = json ?? this.events?.reading() ?? noReading
    const priced = reading.model === '' ? { ...reading, model: this.modelSent } : reading
    const now = this.parts.now()
    this.exchange.attempts.push({
      accountId: this.account.id,
      modelSent: this.modelSent,
      startedAtMs: this.startedAtMs,
      outcome,
      httpStatus: this.status,
      errorType,
      errorCode,
      upstreamRequestId: this.answer?.requestId.slice(0, 191) ?? '',
      firstByteMs: this.upstreamFirstByteAtMs === 0 ? -1 : this.upstreamFirstByteAtMs - this.startedAtMs,
      durationMs: now - this.startedAtMs,
      charged,
      reading,
      cost: this.parts.price(priced, this.startedAtMs),
    })
  }

  private finish(result: CallResult): void {
    this.phase = 'ended'
    this.exchange.call = null
    this.decoder?.destroy()
    this.decoder = null
    this.chunks = []
    // What the upstream has not ended itself is broken off, also an answer that is complete but for its end.
    if (!this.upstreamEnded) this.abort?.()
    // However the rest went: the client left.
    this.finished(this.leftAtMs > 0 && result.kind === 'done' ? this.abandoned() : result)
  }

  // ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────

  tick(now: number): void {
    const { timers } = this.parts
    if (this.leftAtMs > 0 && this.phase !== 'ended' && now - this.leftAtMs > timers.drainMs) return this.abandon()
    switch (this.phase) {
      case 'connecting':
      case 'waiting':
        if (now - this.startedAtMs > this.firstByteMs) this.noAnswer()
        return
      case 'held':
        // A head alone is no answer.
        if (this.chunkBytes + this.events!.heldBytes === 0 && now - this.startedAtMs > this.firstByteMs)
          return this.noAnswer()
        if (now - this.headersAtMs > timers.commitMs) this.commit()
        return
      case 'json':
      case 'refused':
        if (now - this.lastByteAtMs > Math.max(timers.idleMs, this.firstByteMs))
          this.failUpstream('idle_timeout', this.silence(Math.max(timers.idleMs, this.firstByteMs)))
        return
      case 'flowing':
      case 'draining':
        return this.tickFlowing(now)
      default:
        return
    }
  }

  private tickFlowing(now: number): void {
    const { timers } = this.parts
    if (this.blockedSinceMs > 0) {
      if (now - this.blockedSinceMs > timers.blockedMs) this.exchange.res.destroy()
      return
    }
    if (this.stoppedAtMs > 0) {
      if (now - this.stoppedAtMs > timers.closeMs) this.completeStream()
      return
    }
    const silentMs = now - this.lastByteAtMs
    if (silentMs > timers.idleMs) return this.broken(this.silence(timers.idleMs))
    if (silentMs > timers.pingMs && now - this.lastPingAtMs > timers.pingMs && !this.events!.flowing) {
      this.lastPingAtMs = now
      this.send(this.events!.started ? this.format.ping : this.format.keepAlive)
    }
  }

  private silence(limitMs: number): Explained {
    return explain('silent', 'idle_timeout', this.account, limitMs)
  }

  // ── odds and ends ────────────────────────────────────────────────────────────────────────────────────────────────

  private contentTypeFits(): boolean {
    const type = this.answer!.contentType.toLowerCase()
    if (type === '') return true
    return this.exchange.stream ? type.startsWith('text/event-stream') : type.includes('json')
  }

  private startDecoder(): void {
    const encoding = this.answer!.contentEncoding
    if (encoding === '' || encoding === 'identity') return
    const decoder =
      encoding === 'gzip' || encoding === 'x-gzip'
        ? createGunzip()
        : encoding === 'br'
          ? createBrotliDecompress()
          : encoding === 'deflate'
            ? createInflate()
            : null
    if (!decoder) {
      this.failUpstream('bad_encoding', `content-encoding ${encoding.slice(0, 20)}, which was not asked for`)
      return
    }
    this.decoder = decoder as ReturnType<typeof createGunzip>
    decoder.on('data', (chunk: Buffer) => {
      if (!this.take(chunk)) decoder.pause()
      // This memory is the decoder's gift.
    })
    decoder.on('drain', () => this.resumeUpstream?.())
    decoder.on('end', () => this.complete())
    decoder.on('error', () => {
      if (this.phase !== 'ended') this.broken('its compressed answer cannot be read')
    })
  }
}
