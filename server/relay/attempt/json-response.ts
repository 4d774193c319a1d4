// Relays a JSON response: read whole, checked, metered, then sent as it came.
import { noReading } from '../../money/reading.ts'
import { type AttemptEnd, abandoned, causeOf, completed, failed, shutDown } from './attempt-end.ts'
import { collectBody, contentTypeProblem, decoderFor, isFailure, writeHead } from './read-response.ts'
import type { Attempt, AttemptParts } from './running-attempt.ts'
import type { CallEnd, ResponseHead } from './upstream-call.ts'
import { brokenBy, unusable } from './upstream-failure.ts'

const maxJsonBytes = 64 * 1024 * 1024

export async function relayJson(attempt: Attempt, head: ResponseHead, parts: AttemptParts): Promise<AttemptEnd> {
  const { running, account, format, secret } = attempt
  const { client, request } = running
  const problem = contentTypeProblem(attempt, head)
  if (problem !== null) return failed(attempt, problem)
  const decoder = decoderFor(attempt, head)
  if (isFailure(decoder)) return failed(attempt, decoder)
  const tooLarge: CallEnd = {
    by: 'failure',
    failure: unusable(attempt, 'response_too_large', `a JSON response of more than ${maxJsonBytes} bytes`),
  }
  const { body, end } = await collectBody(attempt, decoder, maxJsonBytes, tooLarge, parts)
  if (end.by === 'client') return abandoned(attempt, false)
  if (end.by === 'shutdown') return shutDown(attempt)
  if (end.by !== 'upstream' && end.by !== 'reader') return failed(attempt, brokenBy(attempt, end))
  const json = format.readJson(body, secret)
  if (json.problem !== '') return failed(attempt, unusable(attempt, 'bad_response', `200 with ${json.problem}`))
  if (!client.hasLeft) {
    writeHead(attempt, head, [...head.headers.forClient(false), 'content-length', String(body.length)])
    client.end(body)
  }
  // A count says nothing of how the account does with messages, and costs nothing.
  if (!request.metered) return completed(noReading)
  parts.report(account, { kind: 'answered' }, causeOf(attempt))
  return completed(json.reading)
}
