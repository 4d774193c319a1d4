import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { ClientAnswer } from '../../server/wire/client-answer.ts'
import {
  type ClientDoor,
  takeConnections,
  type WholeBody,
  type WholeRequest,
} from '../../server/wire/client-connections.ts'
import { createSlabs } from '../../server/wire/slabs.ts'
import { deferred } from '../support/deferred.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Serve = (request: WholeRequest, body: WholeBody, answer: ClientAnswer) => void
const limits = {
  headerBytes: 16 * 1024,
  headerCount: 150,
  silentMs: 50,
  keepAliveMs: 75_000,
  checkMs: 10,
  untakenMs: 60_000,
  bodyMs: 60_000,
  bytesPerSecond: 16 * 1024,
}

/** A server whose own connections answer with `serve`, and node:http with `node METHOD PATH`. */
async function serverOf(serve: Serve, more: Partial<typeof limits> = {}) {
  const taken: string[] = []
  let dismissed = 0
  const server: Server = createServer((req, res) => {
    req.resume()
    res.end(`node ${req.method} ${req.url}`)
  })
  const door: ClientDoor<string> = {
    welcome: ({ target }) => (target === '/unwelcome' ? null : target),
    dismiss: () => void dismissed++,
    serve(asked, body, answer, guest) {
      taken.push(guest)
      serve(asked, body, answer)
    },
    refuseSlow(_request, answer) {
      answer.writeHead(408, ['content-length', '4', 'connection', 'close'])
      answer.end(Buffer.from('slow'))
    },
  }
  const connections = takeConnections(server, { door, limits: { ...limits, ...more }, slabs: createSlabs() })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  closers.push(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    connections.closeAll()
    await closed
  })
  return { port, server, taken, dismissed: () => dismissed }
}

const echo: Serve = (_request, body, answer) => {
  answer.writeHead(200, ['content-type', 'text/plain'])
  for (const chunk of body.chunks) answer.write(chunk)
  answer.end()
  body.give()
}

async function socketTo(
  port: number,
): Promise<{ socket: Socket; text: () => string; until: (what: string) => Promise<void> }> {
  const socket = connect(port, '127.0.0.1')
  closers.push(async () => socket.destroy())
  let text = ''
  let check = () => {}
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    check()
  })
  await once(socket, 'connect')
  return {
    socket,
    text: () => text,
    until: (what) =>
      new Promise((resolve) => {
        check = () => {
          if (text.includes(what)) resolve()
        }
        check()
      }),
  }
}

const post = (body: string, path = '/m') =>
  `POST ${path} HTTP/1.1\r\nhost: h\r\ncontent-length: ${body.length}\r\n\r\n${body}`

test('requests of all sizes on one connection are answered in turn, byte for byte', async () => {
  const { port, taken } = await serverOf(echo)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  closers.push(async () => agent.destroy())
  for (const length of [1, 5_000, 70_000, 300_000, 5_000_000, 3]) {
    const body = Buffer.alloc(length, `${length}-`)
    const asked = request({
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/m',
      headers: { 'content-length': length },
    })
    asked.end(body)
    const [response] = await once(asked, 'response')
    const parts: Buffer[] = []
    for await (const part of response) parts.push(part)
    expect(Buffer.concat(parts).equals(body)).toBe(true)
  }
  expect(taken).toHaveLength(6)
})

test('what comes behind a request that is being answered is answered after it, by node:http', async () => {
  const gate = deferred()
  const { port, taken } = await serverOf((asked, body, answer) => {
    void gate.promise.then(() => echo(asked, body, answer))
  })
  const { socket, until, text } = await socketTo(port)
  socket.write(`${post('first')}GET /second HTTP/1.1\r\nhost: h\r\n\r\n${post('third', '/third')}`)
  await new Promise((resolve) => setImmediate(resolve))
  expect(text()).toBe('')
  gate.resolve()
  await until('node POST /third')
  expect(text().indexOf('first')).toBeLessThan(text().indexOf('node GET /second'))
  expect(taken).toEqual(['/m'])
})

test('what is not welcome, not plain or cut in its head is node:http’s, with every byte of it', async () => {
  const { port, taken } = await serverOf(echo)
  for (const [text, wanted] of [
    [post('abc', '/unwelcome'), 'node POST /unwelcome'],
    ['GET /x HTTP/1.1\r\nhost: h\r\n\r\n', 'node GET /x'],
    ['POST /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n', 'node POST /c'],
  ] as const) {
    const one = await socketTo(port)
    one.socket.write(text)
    await one.until(wanted)
    const halves = await socketTo(port)
    halves.socket.write(text.slice(0, 12))
    await new Promise((resolve) => setTimeout(resolve, 5))
    halves.socket.write(text.slice(12))
    await halves.until(wanted)
  }
  expect(taken).toEqual([])
})

test('a connection that says nothing is given to node:http, and then still served', async () => {
  const { port, server } = await serverOf(echo)
  const parsed = once(server, 'request')
  const { socket, until } = await socketTo(port)
  await new Promise((resolve) => setTimeout(resolve, 120))
  socket.write(post('late'))
  await parsed
  await until('node POST /m')
})

test('a body that stops is refused in time, and one whose client leaves is let go', async () => {
  const { port, dismissed } = await serverOf(echo, { bodyMs: 30 })
  const slow = await socketTo(port)
  slow.socket.write('POST /m HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc')
  await slow.until('408')
  await once(slow.socket, 'close')
  const leaving = await socketTo(port)
  leaving.socket.write('POST /m HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc')
  leaving.socket.destroy()
  while (dismissed() < 2) await new Promise((resolve) => setImmediate(resolve))
})

test('a client that leaves is told of at once; one that does not read is waited for', async () => {
  const left = deferred()
  const drained = deferred()
  const { port } = await serverOf((_request, body, answer) => {
    body.give()
    answer.onClose(() => left.resolve())
    answer.onDrain(() => drained.resolve())
    answer.writeHead(200, ['content-type', 'text/plain'])
    const piece = Buffer.alloc(256 * 1024, 'x')
    const fill = () => {
      if (answer.write(piece)) setImmediate(fill)
    }
    fill()
  })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(post('go'))
  await once(socket, 'readable')
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.resume()
  await drained.promise
  socket.destroy()
  await left.promise
})

test('large answers one after another leave no listener behind on their connection', async () => {
  const text = 'x'.repeat(2_000_000)
  let socket: Socket | undefined
  const { port, server } = await serverOf((_request, body, answer) => {
    body.give()
    answer.writeHead(200, ['content-length', String(text.length)])
    answer.end(Buffer.from(text))
  })
  server.on('connection', () => {})
  const warnings: string[] = []
  const warn = (warning: Error) => void warnings.push(warning.name)
  process.on('warning', warn)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  closers.push(async () => agent.destroy())
  for (let i = 0; i < 15; i++) {
    const asked = request({
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/m',
      headers: { 'content-length': 2 },
    })
    asked.end('go')
    const [response] = await once(asked, 'response')
    socket ??= response.socket
    expect(response.socket).toBe(socket)
    response.resume()
    await once(response, 'end')
  }
  process.off('warning', warn)
  expect(warnings).toEqual([])
})
