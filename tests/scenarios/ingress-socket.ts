import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { testKey } from '../support/relay-app.ts'

/** The JSON body of an error. */
export interface ErrorBody {
  type: string
  error: { type: string; message: string }
  request_id: string
}

/** One HTTP answer as it stood on the wire. */
export interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
  /** {} when the answer is no JSON. */
  json: Partial<ErrorBody>
}

/** A TCP connection that speaks HTTP by hand: for requests that no client library would send. */
export interface RawConnection {
  socket: Socket
  send(bytes: string | Buffer): void
  /** The next answer; rejects when the connection ends before it is whole. */
  answer(): Promise<RawAnswer>
  /** Resolves when the server has sent its FIN, or reset the connection. */
  ended: Promise<void>
  /** Resolves when the server has given the connection up for good: what is sent then is refused. */
  gone(): Promise<void>
}

/** Connects to the host and port of `url`. The client's side stays open until the test closes it. */
export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
  let received = Buffer.alloc(0)
  let over = false
  let wake = (): void => {}
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true
      wake()
      resolve()
    }
    socket.on('end', end)
    socket.on('close', end)
  })
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  await once(socket, 'connect')
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    async answer() {
      for (;;) {
        const found = parse(received)
        if (found) {
          received = received.subarray(found.end)
          return found.answer
        }
        if (over) throw new Error(`the connection ended after ${JSON.stringify(received.toString('latin1'))}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    ended,
    async gone() {
      await ended
      while (!socket.destroyed) {
        socket.write('x')
        await turn()
      }
    },
  }
}

function parse(bytes: Buffer): { answer: RawAnswer; end: number } | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  let end = headEnd + 4
  let body = ''
  if (headers['transfer-encoding'] === 'chunked') {
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', end)
      if (lineEnd < 0) return null
      const size = Number.parseInt(bytes.toString('latin1', end, lineEnd), 16)
      if (bytes.length < lineEnd + 4 + size) return null
      body += bytes.toString('utf8', lineEnd + 2, lineEnd + 2 + size)
      end = lineEnd + 4 + size
      if (size === 0) break
    }
  } else {
    const length = Number(headers['content-length'] ?? 0)
    if (bytes.length < end + length) return null
    body = bytes.toString('utf8', end, end + length)
    end += length
  }
  const json = headers['content-type'] === 'application/json' ? JSON.parse(body || '{}') : {}
  return { answer: { status, headers, body, json }, end }
}

export const messagesPath = '/claude-code/v1/messages'

/** A small good request body. */
export const smallBody = (more: object = {}): string =>
  JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }], ...more })

/** The head of a POST of a message, without the empty line's follow-up: `lines` are further headers. */
export function postHead(lines: readonly string[], { path = messagesPath, key = testKey } = {}): string {
  return [`POST ${path} HTTP/1.1`, 'Host: relay', `Authorization: Bearer ${key}`, ...lines, '', ''].join('\r\n')
}

/** A whole good request, to be sent as it is. */
export function postOf(body: string, lines: readonly string[] = []): string {
  return postHead(['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...lines]) + body
}
