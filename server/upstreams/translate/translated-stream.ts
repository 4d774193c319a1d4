import type { Format, StreamReader, UpstreamError } from '../format.ts'
import { notRequests } from '../formats/anthropic/upstream-error.ts'
import { eventsOf, jsonOf } from '../formats/sse-events.ts'
import type { StreamTranslator } from './anthropic-clients/chat-stream-to-messages.ts'
import { type Fields, isFields, textOf } from './untranslatable.ts'

/** One stage of a translation: the data of events in, the data of the other format's events out. */
export interface Stage {
  push(event: unknown): Fields[]
  end?(): Fields[]
}

export interface TranslationParts {
  /** Reads and meters the upstream's own stream. */
  meter: StreamReader
  /** The upstream's events as Anthropic's. */
  toMessages: StreamTranslator
  /** Anthropic's events as the client's; absent where they are. */
  fromMessages?: Stage
  /** How an event of the client's format is written. */
  write: (event: Fields) => string
  /** What follows the last event, if the client's format has a mark for it. */
  endMark: string
}

/** A stream reader whose bytes are the client's format, and whose meter is the upstream's. */
export function createTranslatedStreamReader({
  meter,
  toMessages,
  fromMessages,
  write,
  endMark,
}: TranslationParts): StreamReader {
  let error: UpstreamError | null = null
  let isFinished = false

  function translate(bytes: Buffer[]): Buffer[] {
    if (bytes.length === 0) return []
    const data = eventsOf(bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes)).map((event) => jsonOf(event.data))
    return written(data.flatMap((one) => toMessages.push(one)))
  }

  /** Writes Anthropic's events in the client's format. */
  function written(messages: Fields[]): Buffer[] {
    let text = ''
    for (const message of messages) {
      if (message['type'] === 'error') error ??= errorOf(message)
      for (const event of fromMessages?.push(message) ?? [message]) text += write(event)
      if (message['type'] === 'message_stop') {
        isFinished = true
        text += endMark
      }
    }
    return text === '' ? [] : [Buffer.from(text)]
  }

  /** The upstream has said all: what the translator still holds follows. */
  function complete(out: Buffer[]): Buffer[] {
    return isFinished || error !== null ? out : [...out, ...written(toMessages.end())]
  }

  const reader = {
    started: false,
    hasContent: false,
    isFinished: false,
    isLast: false,
    error: null as UpstreamError | null,
    heldBytes: 0,
    eventBytes: 0,
    // Whole events only are translated.
    flowing: false,
    push(chunk: Buffer): Buffer[] {
      const out = translate(meter.push(chunk))
      return noted(meter.isFinished ? complete(out) : out)
    },
    end: (): Buffer[] => noted(complete(translate(meter.end()))),
    usageChanged: () => meter.usageChanged(),
    reading: () => meter.reading(),
    interimReading: () => meter.interimReading(),
  }

  function noted(out: Buffer[]): Buffer[] {
    reader.started = meter.started
    reader.error = meter.error ?? error
    reader.hasContent = meter.hasContent && reader.error === null
    reader.isFinished = isFinished
    reader.isLast = meter.isLast
    reader.heldBytes = meter.heldBytes
    reader.eventBytes = meter.eventBytes
    return out
  }

  return reader
}

function errorOf(event: Fields): UpstreamError {
  const fields = isFields(event['error']) ? event['error'] : {}
  const message = textOf(fields['message'])
  return { type: textOf(fields['type']) || 'error', code: '', message, text: message, ...notRequests }
}

/** How each format writes an event. */
export const eventWriters: Readonly<Record<Format['name'], { write: (event: Fields) => string; endMark: string }>> = {
  anthropic: { write: (event) => `event: ${textOf(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`, endMark: '' },
  chat: { write: (event) => `data: ${JSON.stringify(event)}\n\n`, endMark: 'data: [DONE]\n\n' },
  responses: { write: (event) => `event: ${textOf(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`, endMark: '' },
}
