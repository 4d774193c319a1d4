import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DemoUpstream {
  url: string
  close(): void
}

/** A slow but steady writer of Anthropic streams; every fortieth request is refused, so that a failover can be seen. */
export async function startDemoUpstream(): Promise<DemoUpstream> {
  let count = 0
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { model: string; stream?: boolean }
      count++
      if (count % 40 === 0) {
        res.writeHead(529, { 'content-type': 'application/json' })
        res.end('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')
        return
      }
      answer(res, body.model, body.stream === true, count).catch(() => res.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const words = 'This answer was made up by the demo. No model was asked, and nothing was charged.'.split(' ')

async function answer(res: ServerResponse, model: string, stream: boolean, count: number): Promise<void> {
  const usage = {
    input_tokens: 900 + (count % 300),
    cache_creation_input_tokens: 120,
    cache_read_input_tokens: 8000,
    output_tokens: 1,
  }
  const message = {
    id: `msg_demo_${count}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [] as object[],
    stop_reason: null as string | null,
    stop_sequence: null,
    usage,
  }
  const done = { ...usage, output_tokens: words.length + 4 }
  if (!stream) {
    const body = {
      ...message,
      content: [{ type: 'text', text: words.join(' ') }],
      stop_reason: 'end_turn',
      usage: done,
    }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(body))
    return
  }
  const send = (event: { type: string; [field: string]: unknown }) =>
    res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  send({ type: 'message_start', message })
  send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
  for (const word of words) {
    await sleep(40)
    send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: `${word} ` } })
  }
  send({ type: 'content_block_stop', index: 0 })
  send({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: done })
  send({ type: 'message_stop' })
  res.end()
}
