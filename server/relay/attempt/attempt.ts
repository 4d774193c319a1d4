// One attempt: asks one account's upstream for a request and hands what comes to the phase that fits it.
import type { AttemptEntry } from '../../ledger/entry.ts'
import { withEstimatedPrompt } from '../../money/estimate.ts'
import { noReading } from '../../money/reading.ts'
import { codeOfError, explainFailure } from '../../upstreams/transport/failure-cause.ts'
import { type AttemptEnd, abandoned, failed, leftEnd, shutDown } from './attempt-end.ts'
import type { TryResult } from './attempt-result.ts'
import { readErrorResponse } from './response/error-response.ts'
import { relayJson } from './response/json-response.ts'
import { relayStream } from './response/stream-response.ts'
import { type Attempt, type AttemptParts, hasReadOnTooLong, readingOf } from './running-attempt.ts'
import type { CallEnd } from './upstream-call.ts'
import { noFirstByte } from './upstream-failure.ts'

/** Follows the attempt to its end, and adds its row. `call` has been sent, or will be in this turn. */
export async function followAttempt(attempt: Attempt, parts: AttemptParts): Promise<TryResult> {
  const { client } = attempt.running
  client.onLeave = () => leave(attempt, parts)
  const end = await endOf(attempt, parts)
  client.onLeave = null
  attempt.running.attempts.push(rowOf(attempt, end, parts))
  const { result } = end
  // The client left, so the request ends as aborted, whatever came after that.
  return attempt.leftAtMs > 0 && result.kind === 'done' ? { kind: 'done', end: leftEnd(attempt) } : result
}

async function endOf(attempt: Attempt, parts: AttemptParts): Promise<AttemptEnd> {
  const { call, account, startedAtMs, firstByteMs } = attempt
  attempt.onTick = (nowMs) => {
    if (hasReadOnTooLong(attempt, parts, nowMs)) call.stop({ by: 'client' })
    else if (nowMs - startedAtMs > firstByteMs) call.stop({ by: 'failure', failure: noFirstByte(attempt) })
  }
  const head = await call.head
  if ('by' in head) return endBeforeHead(attempt, head)
  attempt.head = head
  head.headers.forget(attempt.secret)
  parts.noteLimits(account, head.headers)
  if (head.status !== 200) return readErrorResponse(attempt, head, parts)
  const { stream, metered } = attempt.running.request
  return stream && metered ? relayStream(attempt, head, parts) : relayJson(attempt, head, parts)
}

function endBeforeHead(attempt: Attempt, end: CallEnd): AttemptEnd {
  if (end.by === 'client') return abandoned(attempt, false)
  if (end.by === 'shutdown') return shutDown(attempt)
  if (end.by === 'failure') return failed(attempt, end.failure)
  const error = end.by === 'error' ? end.error : new Error('the response ended before its head')
  const explained = explainFailure(error, attempt.account)
  return failed(attempt, {
    errorType: codeOfError(error),
    explained,
    connectPhase: !attempt.call.isConnected,
    misconfigured: explained.cause === 'address_refused',
  })
}

/** The client has left: aborts the upstream, unless its response is billed and the setting says to read on for the usage. */
function leave(attempt: Attempt, { disconnect, now }: AttemptParts): void {
  const { call, running, canReadOn } = attempt
  if (disconnect === 'abort' || !running.request.metered || !call.isConnected || !canReadOn) {
    call.stop({ by: 'client' })
    return
  }
  attempt.leftAtMs = now()
  running.giveBackFailover?.()
  attempt.onLeave()
}

function rowOf(attempt: Attempt, end: AttemptEnd, { now, price }: AttemptParts): AttemptEntry {
  const { account, modelSent, startedAtMs, head, running } = attempt
  const read = end.reading ?? attempt.reader?.reading() ?? noReading
  const reading = withEstimatedPrompt(read, running.request.body.length)
  return {
    accountId: account.id,
    modelSent,
    startedAtMs,
    outcome: end.outcome,
    httpStatus: head?.status ?? 0,
    errorType: end.errorType,
    errorCode: end.errorCode ?? '',
    upstreamRequestId: head?.headers.requestId.slice(0, 191) ?? '',
    firstByteMs: head === null ? -1 : head.atMs - startedAtMs,
    durationMs: now() - startedAtMs,
    charged: end.charged,
    reading,
    cost: price(readingOf(attempt, reading), startedAtMs, account.id),
  }
}
