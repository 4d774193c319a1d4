import { setTimeout as wait } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { type Message, query } from './request-events.ts'

/** Asks again with the last cursor after every break, until `stop`. */
export async function follow(
  url: string,
  token: () => Promise<string>,
  after: string,
  handle: (message: Message) => void,
  stop: AbortSignal,
): Promise<void> {
  let cursor = after
  while (!stop.aborted) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${await token()}`,
        },
        body: JSON.stringify({ query, variables: { after: cursor } }),
        signal: stop,
      })
      if (!response.ok || !response.body) throw new Error(`The relay responds with ${response.status}.`)
      const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
      const reader = events.getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const { event, data } = next.value
        if (event !== 'next') continue
        const message = JSON.parse(data).data.requestEvents as Message
        handle(message)
        cursor = message.cursor
      }
    } catch (error) {
      if (!stop.aborted) console.error(error)
    }
    await wait(1_000, undefined, { signal: stop }).catch(() => {})
  }
}
