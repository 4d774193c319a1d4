import type { Account } from '../accounts/account.ts'
import { findMembers } from '../json/members.ts'
import { noReading, type Reading } from '../money/reading.ts'
import type { Classification } from './classification.ts'
import { type Classifier, saysWhy } from './classify.ts'
import type { Format } from './format.ts'
import { bodyKindOf } from './formats/body-kind.ts'
import type { Platform } from './platform.ts'
import { errorResponseOf, type ProbeResponse } from './probe.ts'

/** What a probe's response came to. `reason`: for people, without the upstream's own text. */
export type ProbeResult =
  | { isSuccess: true; reading: Reading }
  | { isSuccess: false; classification: Classification; reason: string }

/**
 * Judges a response by what it is, as the relay does: status 200 alone is no success. `isMessage`: a message was asked for,
 * and not the platform's own page.
 */
export function probeResultOf(
  { classifier, platform }: { classifier: Pick<Classifier, 'classify'>; platform: Platform },
  account: Account,
  response: ProbeResponse,
  { model, isMessage }: { model: string; isMessage: boolean },
  nowMs: number,
): ProbeResult {
  const { status } = response
  const error = errorResponseOf(response, account.secret)
  const said = platform.format.errorOf(error.body.toString('utf8'))
  let problem = ''
  if (status === 200) {
    const { reading, ...found } = isMessage ? messageIn(platform.format, error.body) : pageIn(error.body, saysWhy(said))
    if (found.problem === '') return { isSuccess: true, reading }
    problem = found.problem
  }
  const classification = classifier.classify(account, error, model, nowMs)
  const { event, errorType, rule } = classification
  const isUnsaid = status === 200 && !saysWhy(said) && rule === undefined
  const reason = isUnsaid ? `200 with ${problem}` : event && 'reason' in event ? event.reason : `${status} ${errorType}`
  return { isSuccess: false, classification, reason }
}

interface Found {
  /** '': it is a success. */
  problem: string
  reading: Reading
}

/** A message as JSON, or the stream that some upstreams send in its place. */
function messageIn(format: Format, body: Buffer): Found {
  if (bodyKindOf(body) !== 'events') return format.readJson(body, '')
  const reader = format.createStreamReader('')
  reader.push(body)
  reader.end()
  const problem =
    reader.error !== null
      ? 'an error event'
      : !reader.started
        ? 'a stream without a message'
        : reader.isFinished && !reader.hasContent
          ? 'a message with neither content nor usage'
          : ''
  return { problem, reading: reader.reading() }
}

/** A page about the account: any JSON object that is no error. */
function pageIn(body: Buffer, isError: boolean): Found {
  const problem = !findMembers(body, []).ok ? 'a body that is no JSON object' : isError ? 'an error for a body' : ''
  return { problem, reading: noReading }
}
