import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** The events of a piece of a stream that holds whole events only. */
export function eventsOf(bytes: Buffer): EventSourceMessage[] {
  const events: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => events.push(event) })
  const text = bytes.toString('utf8')
  // The parser would wait for a line feed behind the last carriage return, and it comes with the next piece.
  parser.feed(text.endsWith('\r') ? `${text}\n` : text)
  return events
}

/** The JSON of an event's data; undefined when it is none. */
export function jsonOf(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
