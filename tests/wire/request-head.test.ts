import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRequestHead } from '../../server/wire/request-head.ts'
import { type Listening, listening } from '../support/listening.ts'

let server: Listening
let heard: ((req: IncomingMessage) => void) | null = null
beforeAll(async () => {
  server = await listening(
    createServer((req, res) => {
      heard?.(req)
      req.resume()
      res.end()
    }),
  )
})
afterAll(() => server.close())

/** What node:http makes of a head and a body of `bodyBytes`; null when it refuses, or waits for more. */
async function nodeReads(head: string, bodyBytes: number): Promise<IncomingMessage | null> {
  const socket = connect(server.port, '127.0.0.1')
  let found: IncomingMessage | null = null
  heard = (req) => {
    found = req
  }
  socket.write(head, 'latin1')
  socket.end('x'.repeat(bodyBytes))
  socket.resume()
  await once(socket, 'close').catch(() => undefined)
  return found
}

const usual = ['Host: relay.test', 'content-length: 5', 'Authorization: Bearer sk-test', 'X-A:  padded \t']
const headOf = (lines: readonly string[], first = 'POST /claude-code/v1/messages?beta=true HTTP/1.1'): string =>
  `${[first, ...lines].join('\r\n')}\r\n\r\n`

test('a plain head is read as node:http reads it', async () => {
  const head = readRequestHead(headOf(usual), 150)
  const node = await nodeReads(headOf(usual), 5)
  expect(head).toMatchObject({ target: node?.url, bodyBytes: 5, headers: { ...node?.headers } })
  expect(head?.raw).toEqual(node?.rawHeaders)
})

test.each([
  ['another method', headOf(usual, 'GET /claude-code/v1/messages HTTP/1.1')],
  ['HTTP/1.0', headOf(usual, 'POST /claude-code/v1/messages HTTP/1.0')],
  ['an absolute target', headOf(usual, 'POST http://relay.test/claude-code/v1/messages HTTP/1.1')],
  ['two spaces', headOf(usual, 'POST  /claude-code/v1/messages HTTP/1.1')],
  ['no host', headOf(usual.slice(1))],
  ['no length', headOf([usual[0]!])],
  ['a length of nothing', headOf([usual[0]!, 'content-length: 0'])],
  ['a length with a sign', headOf([usual[0]!, 'content-length: +5'])],
  ['a list of lengths', headOf([usual[0]!, 'content-length: 5, 5'])],
  ['two lengths', headOf([...usual, 'Content-Length: 5'])],
  ['a header that comes twice', headOf([...usual, 'x-a: 2'])],
  ['a header named like a member of all objects', headOf([...usual, 'constructor: 1'])],
  ['chunks', headOf([...usual, 'transfer-encoding: chunked'])],
  ['a wish to be told to go on', headOf([...usual, 'expect: 100-continue'])],
  ['an upgrade', headOf([...usual, 'upgrade: websocket'])],
  ['a compressed body', headOf([...usual, 'content-encoding: gzip'])],
  ['a connection that ends', headOf([...usual, 'connection: close'])],
  ['a connection header that names others', headOf([...usual, 'connection: keep-alive, x-a'])],
  ['a folded line', headOf([...usual, ' folded'])],
  ['a space before the colon', headOf([...usual, 'x-b : 1'])],
  ['a bare line feed', headOf([...usual, 'x-b: 1\nx-c: 2'])],
  ['a bare carriage return', headOf([...usual, 'x-b: 1\rx-c: 2'])],
  ['a null', headOf([...usual, 'x-b: \0'])],
  ['more headers than are allowed', headOf([...usual, ...Array.from({ length: 150 }, (_, i) => `x-${i}: 1`)])],
])('%s is left to node:http', (_what, head) => {
  expect(readRequestHead(head, 150)).toBeNull()
})

test('whatever is read here node:http reads alike', async () => {
  const character = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...'ab1-:, ;=/?%"'.split('')) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
  )
  const text = fc.string({ unit: character, maxLength: 12 })
  const name = fc.oneof(
    text,
    fc.constantFrom('host', 'Host', 'content-length', 'connection', 'transfer-encoding', 'te'),
  )
  const line = fc.tuple(name, fc.constantFrom(':', ': ', ' : ', ''), text).map((parts) => parts.join(''))
  const target = fc.string({ unit: character, maxLength: 8 }).map((path) => `/claude-code/v1/messages${path}`)
  let read = 0
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 4 }), target, async (lines, path) => {
      const text = headOf(['host: h', 'content-length: 3', ...lines], `POST ${path} HTTP/1.1`)
      const head = readRequestHead(text, 150)
      if (head === null) return
      read++
      const node = await nodeReads(text, 3)
      expect(node?.method).toBe('POST')
      expect(head.target).toBe(node?.url)
      expect(head.raw).toEqual(node?.rawHeaders)
      expect({ ...head.headers }).toEqual({ ...node?.headers })
    }),
    { numRuns: 400 },
  )
  expect(read).toBeGreaterThan(30)
})
