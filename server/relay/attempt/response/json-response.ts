// Relays a response that is no stream: read whole, checked, metered, then sent as it came.

import { noReading, type Reading } from '../../../money/reading.ts'
import { bodyKindOf } from '../../../upstreams/formats/body-kind.ts'
import {
  type AttemptEnd,
  abandoned,
  causeOf,
  classified,
  completed,
  failed,
  memoryFull,
  shutDown,
} from '../attempt-end.ts'
import type { Attempt, AttemptParts } from '../running-attempt.ts'
import type { CallEnd, ResponseHead } from '../upstream-call.ts'
import { brokenBy, incomplete, unusable } from '../upstream-failure.ts'
import { unsuccessful } from './error-response.ts'
import { collectBody, decoderFor, headersFor, isFailure, writeHead } from './read-response.ts'

export const maxJsonBytes = 64 * 1024 * 1024

export async function relayJson(attempt: Attempt, head: ResponseHead, parts: AttemptParts): Promise<AttemptEnd> {
  const { running, responses, secret } = attempt
  const decoder = decoderFor(attempt, head)
  if (isFailure(decoder)) return failed(attempt, decoder)
  const { body, end } = await collectBody(attempt, decoder, maxJsonBytes, jsonTooLarge(attempt), parts)
  // A limit stops only streams.
  if (end.by === 'client' || end.by === 'limit') return abandoned(attempt, false)
  if (end.by === 'shutdown') return shutDown(attempt)
  if (end.by === 'memory') return memoryFull(attempt)
  if (end.by !== 'upstream' && end.by !== 'reader') return failed(attempt, brokenBy(attempt, end))
  // A count says nothing of how the account does with messages, and costs nothing.
  if (!running.request.metered) {
    if (!isCount(body)) return unsuccessful(attempt, head, body, 'a body that is no count', parts)
    return sendJson(attempt, head, body)
  }
  if (bodyKindOf(body) === 'events') return relayFolded(attempt, head, body, parts)
  const json = responses.readJson(body, secret)
  if (json.problem !== '') return unsuccessful(attempt, head, body, json.problem, parts)
  return sendMessage(attempt, head, json.body ?? body, json.reading, parts)
}

export const jsonTooLarge = (attempt: Attempt): CallEnd => ({
  by: 'failure',
  failure: unusable(attempt, 'response_too_large', `a JSON response of more than ${maxJsonBytes} bytes`),
})

/** The upstream sent a stream where a message was asked for: the message that it adds up to is sent. */
function relayFolded(attempt: Attempt, head: ResponseHead, stream: Buffer, parts: AttemptParts): AttemptEnd {
  const { account, responses, running, secret } = attempt
  const reader = responses.createStreamReader(secret)
  attempt.reader = reader
  reader.push(stream)
  reader.end()
  if (reader.error !== null)
    return classified(
      attempt,
      parts.classifier.classifyEvent(account, reader.error, running.request.model, parts.now()),
    )
  const message = reader.isFinished && reader.hasContent ? responses.foldStream?.(stream) : null
  if (!message) return failed(attempt, incomplete(attempt, 'the response is a stream that is not complete'))
  return sendMessage(attempt, head, message, reader.reading(), parts)
}

function sendMessage(
  attempt: Attempt,
  head: ResponseHead,
  body: Buffer,
  reading: Reading,
  parts: AttemptParts,
): AttemptEnd {
  const end = sendJson(attempt, head, body)
  parts.report(attempt.account, { kind: 'answered' }, causeOf(attempt))
  return { ...end, reading }
}

function sendJson(attempt: Attempt, head: ResponseHead, body: Buffer): AttemptEnd {
  const { client } = attempt.running
  if (!client.hasLeft) {
    writeHead(attempt, head, [...headersFor(head, 'application/json'), 'content-length', String(body.length)])
    client.end(body)
  }
  return completed(noReading)
}

function isCount(body: Buffer): boolean {
  try {
    const { input_tokens: count } = JSON.parse(body.toString('utf8')) as { input_tokens?: unknown }
    return typeof count === 'number'
  } catch {
    return false
  }
}
