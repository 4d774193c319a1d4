import type { Reading } from '../../../money/reading.ts'
import type { StreamReader, UpstreamError } from '../../format.ts'
import { withoutSecret } from '../../quoted-secret.ts'
import type { MessageUsage } from '../../translate/messages/message-writer.ts'
import { type Fields, isFields } from '../../translate/untranslatable.ts'
import { createUsageReader } from '../anthropic/usage.ts'
import { createSseScanner } from '../sse.ts'
import { eventsOf, jsonOf } from '../sse-events.ts'

/** What one event of an OpenAI-format stream says, as far as the meter asks. */
export interface EventFacts {
  model?: string
  /** Its usage in Anthropic's words, and as it came. */
  usage?: { counts: MessageUsage; raw: Fields }
  /** Content begins with it, or goes on: so many characters. */
  contentChars?: number
  stopReason?: string
  /** No content comes after it, but usage may. */
  isLast?: boolean
  /** The stream is complete with it. */
  isEnd?: boolean
  error?: UpstreamError
  /** It holds usage that the client did not ask for. */
  isUsageOnly?: boolean
}

export interface OpenaiStreamOptions {
  secret: string
  /** `data` is parsed JSON; undefined for `[DONE]` and for what is no JSON. */
  factsOf: (data: Fields) => EventFacts
  /** Events that hold only usage do not go on: the relay asked for them, not the client. */
  withholdsUsage?: boolean
}

/** An event this large is not held back for the sake of withholding another. */
const maxHeldBytes = 32 * 1024 * 1024

/** Reads a stream of Chat Completions or Responses: events pass as they came, and what they say of usage is kept. */
export function createOpenaiStreamReader({
  secret,
  factsOf,
  withholdsUsage = false,
}: OpenaiStreamOptions): StreamReader {
  const usage = createUsageReader()
  const raws: Fields[] = []
  const scanner = createSseScanner(
    { event: (bytes, start, end) => take(bytes.subarray(start, end)), large: () => {}, more: () => {} },
    withholdsUsage ? { maxHeldBytes } : {},
  )
  let kept: Buffer[] = []
  let hasNews = false
  let stopReason = ''

  const reader = {
    started: false,
    hasContent: false,
    isFinished: false,
    isLast: false,
    error: null as UpstreamError | null,
    heldBytes: 0,
    eventBytes: 0,
    flowing: false,
    push(chunk: Buffer): Buffer[] {
      kept = []
      return note(scanner.push(chunk))
    },
    end(): Buffer[] {
      kept = []
      const out = note(scanner.end())
      // Some upstreams close without [DONE].
      if (reader.isLast) finish()
      return out
    },
    usageChanged(): boolean {
      const changed = hasNews
      hasNews = false
      return changed
    },
    reading: (): Reading => ({ ...usage.reading(), stopReason, raw: raws.length === 0 ? '' : JSON.stringify(raws) }),
    interimReading: (): Reading => usage.interimReading(),
  }

  function note(out: Buffer[]): Buffer[] {
    reader.heldBytes = scanner.heldBytes
    reader.eventBytes = scanner.eventBytes
    reader.flowing = scanner.flowing
    return withholdsUsage ? kept : out
  }

  function take(bytes: Buffer): void {
    let passes = true
    for (const { data } of eventsOf(bytes)) {
      if (data.trim() === '[DONE]') finish()
      else {
        const json = jsonOf(withoutSecret(data, secret))
        if (!isFields(json)) usage.unreadable()
        else passes = !apply(factsOf(json)) || !withholdsUsage
      }
    }
    // The scanner uses its memory again.
    if (withholdsUsage && passes) kept.push(Buffer.from(bytes))
  }

  /** True when the event holds nothing but usage. */
  function apply(facts: EventFacts): boolean {
    if (facts.error) {
      reader.error ??= facts.error
      return false
    }
    if (!reader.started) {
      reader.started = true
      usage.start(JSON.stringify({ message: { model: facts.model ?? '' } }))
    }
    if (facts.contentChars !== undefined) {
      reader.hasContent = true
      usage.text(facts.contentChars)
    }
    if (facts.stopReason !== undefined) stopReason = facts.stopReason
    if (facts.usage) {
      hasNews = true
      raws.splice(0, 1, facts.usage.raw)
      usage.delta(JSON.stringify({ usage: anthropicUsage(facts.usage.counts) }))
    }
    reader.isLast ||= facts.isLast === true
    if (facts.isEnd) finish()
    return facts.isUsageOnly === true
  }

  function finish(): void {
    if (reader.error !== null || reader.isFinished) return
    reader.isFinished = true
    // An end without anything before it is no response.
    reader.hasContent = reader.started
    usage.stop()
  }

  return reader
}

/** Cache writes of these vendors have one lifetime only. */
export const anthropicUsage = (counts: MessageUsage): Fields => ({
  ...counts,
  cache_creation: { ephemeral_5m_input_tokens: counts.cache_creation_input_tokens, ephemeral_1h_input_tokens: 0 },
})
