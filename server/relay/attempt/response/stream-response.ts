// Relays an event stream: held until content begins, then passed on in whole events as they come, and metered beside.
import { bodyKindOf } from '../../../upstreams/formats/body-kind.ts'
import { explain } from '../../../upstreams/transport/failure-cause.ts'
import { limitPassed } from '../../settlement/limit-refusals.ts'
import {
  type AttemptEnd,
  abandoned,
  brokenOff,
  causeOf,
  classified,
  completed,
  failed,
  memoryFull,
  shutDown,
} from '../attempt-end.ts'
import type { UpstreamFailure } from '../attempt-result.ts'
import { restarting } from '../no-account-error.ts'
import { type Attempt, type AttemptParts, hasReadOnTooLong } from '../running-attempt.ts'
import type { ResponseHead } from '../upstream-call.ts'
import { brokenBy, classificationOf, incomplete, noFirstByte, unusable } from '../upstream-failure.ts'
import { unsuccessful } from './error-response.ts'
import { jsonTooLarge, maxJsonBytes } from './json-response.ts'
import { decoderFor, headersFor, isFailure, writeHead } from './read-response.ts'

/** Bytes of a stream held before the account is fixed. */
const maxHeldBytes = 64 * 1024

/** After so many bytes the cost is checked at once, without waiting for the timer. */
const topUpBytes = 8 * 1024

/** `held`: the client has nothing yet; `flowing`: the account is fixed; `draining`: the client left, and only usage is read. */
type State = 'held' | 'flowing' | 'draining'

export async function relayStream(attempt: Attempt, head: ResponseHead, parts: AttemptParts): Promise<AttemptEnd> {
  const { call, running, account } = attempt
  const { client, request } = running
  const { timers, now } = parts
  const decoder = decoderFor(attempt, head)
  if (isFailure(decoder)) return failed(attempt, decoder)

  const reader = attempt.responses.createStreamReader(attempt.secret)
  attempt.reader = reader
  /** What the body is, by its first bytes. `begun` buffers them until that is known; the whole body when it is not a stream. */
  let isStream: boolean | null = null
  let begun: Buffer[] = []
  let begunBytes = 0
  let state: State = attempt.leftAtMs > 0 ? 'draining' : 'held'
  let held: Buffer[] = []
  let heldBytes = 0
  let flowedBytes = 0
  let finishedAtMs = 0
  let blockedSinceMs = 0
  let lastPingAtMs = 0
  const share = parts.responseBudget.shareOf(request.key.id)
  /** Kept responses take all the memory they may. */
  let isMemoryFull = false

  /** Beyond what every stream may hold, kept bytes count in the budget of responses. False: the budget is used up. */
  function keep(bytes: number): boolean {
    const counted = bytes > maxHeldBytes ? bytes : 0
    const more = counted - attempt.keptBytes
    if (more > 0 && !share.take(more)) {
      isMemoryFull = true
      call.stop({ by: 'reader' })
      return false
    }
    if (more < 0) share.give(-more)
    attempt.keptBytes = counted
    return true
  }

  /** Reads whole events of the next chunk, or at the end (null) of what is left. */
  function readEvents(chunk: Buffer | null): void {
    const events = chunk === null ? reader.end() : reader.push(chunk)
    if (finishedAtMs === 0 && (reader.isFinished || reader.error !== null)) finishedAtMs = now()
    if (reader.usageChanged()) parts.onUsage(attempt)
    for (const bytes of events) {
      if (state === 'flowing') send(bytes)
      else if (state === 'held') {
        held.push(bytes)
        heldBytes += bytes.length
      }
    }
  }

  /** False when the client does not keep up. */
  function take(chunk: Buffer): boolean {
    if (isStream === true) return takeEvents(chunk)
    begun.push(chunk)
    begunBytes += chunk.length
    const whole = Buffer.concat(isStream === null ? begun : [])
    const kind = bodyKindOf(whole)
    if (isStream === null && kind !== undefined) {
      isStream = kind === 'events' || (kind === 'other' && head.headers.contentType.includes('event-stream'))
      if (isStream) begun = []
      if (isStream) return takeEvents(whole)
    }
    if (begunBytes > maxJsonBytes) call.stop(jsonTooLarge(attempt))
    else keep(begunBytes)
    return true
  }

  function takeEvents(chunk: Buffer): boolean {
    readEvents(chunk)
    if (!keep(reader.heldBytes)) return true
    flowedBytes += chunk.length
    if (flowedBytes > topUpBytes && running.reservation.claims.length > 0) {
      flowedBytes = 0
      parts.onFlow(attempt)
    }
    if (state === 'held') {
      if (reader.error !== null && !reader.hasContent) call.stop({ by: 'reader' })
      else if (reader.hasContent || reader.flowing || heldBytes + reader.heldBytes > maxHeldBytes) commit()
    } else if (reader.eventBytes > parts.maxEventBytes) call.stop({ by: 'failure', failure: tooLargeEvent() })
    return blockedSinceMs === 0
  }

  /** The account is fixed: the client gets its status and what was held. */
  function commit(): void {
    state = 'flowing'
    writeHead(attempt, head, streamHeaders())
    client.onDrain(resume)
    if (held.length === 0) client.flushHeaders()
    for (const bytes of held) send(bytes)
    held = []
  }

  const streamHeaders = (): string[] =>
    headersFor(head, 'text/event-stream').concat('cache-control', 'no-cache', 'x-accel-buffering', 'no')

  function send(bytes: Buffer): void {
    if (!client.destroyed && !client.write(bytes) && blockedSinceMs === 0) blockedSinceMs = now()
  }

  function resume(): void {
    if (blockedSinceMs === 0) return
    blockedSinceMs = 0
    call.resume()
  }

  attempt.onLeave = () => {
    state = 'draining'
    held = []
    resume()
  }

  attempt.onTick = (nowMs) => {
    if (hasReadOnTooLong(attempt, parts, nowMs)) return call.stop({ by: 'client' })
    if (isStream === false) {
      if (nowMs - call.lastByteAtMs > attempt.idleMs) call.stop({ by: 'failure', failure: silence() })
      return
    }
    if (state === 'held') return tickHeld(nowMs)
    if (blockedSinceMs > 0) {
      if (nowMs - blockedSinceMs > timers.blockedMs) client.destroy()
      return
    }
    if (finishedAtMs > 0) {
      if (nowMs - finishedAtMs > timers.closeMs) call.stop({ by: 'reader' })
      return
    }
    const silentMs = nowMs - call.lastByteAtMs
    if (reader.isLast && silentMs > timers.closeMs) call.stop({ by: 'reader' })
    else if (silentMs > attempt.idleMs) call.stop({ by: 'failure', failure: silence() })
    else if (
      silentMs > timers.pingMs &&
      nowMs - lastPingAtMs > timers.pingMs &&
      state === 'flowing' &&
      !reader.flowing
    ) {
      lastPingAtMs = nowMs
      send(reader.started ? request.format.ping : request.format.keepAlive)
    }
  }

  function tickHeld(nowMs: number): void {
    // Response headers do not count as the first byte.
    if (heldBytes + reader.heldBytes === 0 && nowMs - attempt.startedAtMs > attempt.firstByteMs)
      call.stop({ by: 'failure', failure: noFirstByte(attempt) })
    else if (nowMs - head.atMs > timers.commitMs) commit()
  }

  const silence = (): UpstreamFailure => {
    const explained = explain('silent', 'idle_timeout', account, attempt.idleMs)
    return { errorType: 'broken_response', explained }
  }
  const tooLargeEvent = (): UpstreamFailure =>
    unusable(attempt, 'event_too_large', `an event of more than ${parts.maxEventBytes} bytes`)

  const end = await call.read(take, decoder)
  if (end.by === 'client') return abandoned(attempt, true)
  if (end.by === 'shutdown') {
    if (state === 'held') return shutDown(attempt)
    const failure = restarting()
    return breakOff(failure.code, failure.message)
  }
  if (end.by === 'limit') {
    if (state === 'held') commit()
    return breakOff('limit_reached', limitPassed, 'billing_error')
  }
  if (isMemoryFull) {
    if (state === 'held') return memoryFull(attempt)
    return breakOff('response_memory_full', 'The relay holds as many responses as it may.', 'overloaded_error')
  }
  // After the last event, a broken connection does not matter.
  if (end.by === 'upstream' || end.by === 'reader' || finishedAtMs > 0) return complete()
  return broken(brokenBy(attempt, end))

  /** The upstream sent no stream: a message is sent as the stream that was asked for, anything else has failed. */
  function completeWhole(body: Buffer): AttemptEnd {
    const { problem, reading } = attempt.responses.readJson(body, attempt.secret)
    const { unfoldJson } = attempt.responses
    attempt.reader = null
    if (problem !== '' || !unfoldJson)
      return unsuccessful(attempt, head, body, problem || 'a message for a stream', parts)
    if (!client.hasLeft) {
      writeHead(attempt, head, streamHeaders())
      client.end(unfoldJson(body))
    }
    parts.report(account, { kind: 'answered' }, causeOf(attempt))
    return completed(reading)
  }

  function complete(): AttemptEnd {
    if (isStream === false) return completeWhole(Buffer.concat(begun))
    readEvents(null)
    const { error, hasContent } = reader
    if (state === 'held' && error !== null)
      return classified(attempt, parts.classifier.classifyEvent(account, error, request.model, now()))
    if (state === 'held' && !hasContent) {
      const reason =
        finishedAtMs === 0 ? 'the response ended before any content' : 'the response has neither content nor usage'
      return broken(incomplete(attempt, reason))
    }
    if (state === 'held') commit()
    if (error !== null) {
      // The upstream itself ended its response with an error event, which has gone out.
      const classification = parts.classifier.classifyEvent(account, error, request.model, now())
      if (classification.event) parts.report(account, classification.event, causeOf(attempt, classification))
      client.end()
      return brokenOff(error.type, error.code)
    }
    if (finishedAtMs === 0) return broken(incomplete(attempt, 'the response ended without message_stop'))
    client.end()
    parts.report(account, { kind: 'answered' }, causeOf(attempt))
    return completed()
  }

  /** Before the commit another account is tried; after it the client is told by an error event. */
  function broken(failure: UpstreamFailure): AttemptEnd {
    if (state === 'held') return failed(attempt, failure)
    const classification = classificationOf(failure, head.status)
    if (classification.event) parts.report(account, classification.event, causeOf(attempt, classification))
    const message =
      failure.errorType === 'event_too_large'
        ? failure.explained.reason
        : 'The upstream broke off in the middle of its response.'
    return breakOff(failure.errorType, message)
  }

  function breakOff(errorType: string, message: string, eventType = 'api_error'): AttemptEnd {
    // If an event too large to hold was sent in part, no error event can follow it, so the connection is reset.
    if (reader.flowing) client.destroy()
    else client.end(request.format.errorEvent(eventType, message, request.id.text))
    return brokenOff(errorType)
  }
}
