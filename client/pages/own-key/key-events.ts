import { keyEventsQuery, postAsHolder } from './key-query.ts'

interface Message {
  cursor: string
  gap: object | null
  events: unknown[]
}

/**
 * Follows the events of a key over server-sent events, and connects again behind the last one. A WebSocket or an EventSource
 * could not carry the key in a header. Ends when `signal` does, or when the server no longer knows the key.
 */
export async function followKey(secret: string, onChange: () => void, signal: AbortSignal): Promise<void> {
  let after: string | undefined
  while (!signal.aborted) {
    try {
      const body = { query: keyEventsQuery, variables: { after } }
      const response = await postAsHolder(secret, body, 'text/event-stream', signal)
      if (response.status === 401) return
      if (response.ok && response.body) {
        for await (const message of messagesOf(response.body)) {
          if (message.gap !== null || message.events.length > 0 || after === undefined) onChange()
          after = message.cursor
        }
      }
    } catch {
      // The connection is lost: it is made again below.
    }
    await pause(3000, signal)
  }
}

async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    text += decoder.decode(value, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: ?(.+)$/m.exec(text.slice(0, end))?.[1]
      text = text.slice(end + 2)
      const message = data && (JSON.parse(data) as { data?: { myKeyEvents?: Message } }).data?.myKeyEvents
      if (message) yield message
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
