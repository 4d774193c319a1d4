import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ClientResponse } from '../../server/http/client-response.ts'
import { deferred } from '../support/deferred.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serverOf(serve: (response: ClientResponse, req: IncomingMessage) => void, stalledMs = 60_000) {
  const server = createServer({ keepAliveTimeout: 60_000 }, (req: IncomingMessage, res: ServerResponse) => {
    req.resume()
    serve(new ClientResponse(res, stalledMs, Date.now), req)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

const headOf = (path = '/m') => `POST ${path} HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n`

async function connected(port: number) {
  const socket = connect(port, '127.0.0.1')
  closers.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

function agentOf(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  closers.push(() => agent.destroy())
  return agent
}

test('pieces of one tick go out as one chunk, in their order, and the end takes the rest along', async () => {
  const port = await serverOf((response) => {
    response.writeHead(200, ['content-type', 'text/plain'])
    for (const piece of ['a', 'b', 'c']) response.write(Buffer.from(piece))
    setImmediate(() => {
      response.write(Buffer.from('d'))
      response.end(Buffer.from('e'))
    })
  })
  const socket = await connected(port)
  let text = ''
  const ended = deferred()
  socket.on('data', (chunk) => {
    text += chunk
    if (text.endsWith('0\r\n\r\n')) ended.resolve()
  })
  socket.write(headOf())
  await ended.promise
  expect(text).toContain('\r\n\r\n3\r\nabc\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n')
})

test('a head and a small body with a length are one write', async () => {
  const port = await serverOf((response) => {
    response.writeHead(200, ['content-length', '2'])
    response.end(Buffer.from('ok'))
  })
  const socket = await connected(port)
  socket.write(headOf())
  const [first] = await once(socket, 'data')
  expect(String(first)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s)
})

test('a client that leaves is noticed at once; one that does not read is waited for', async () => {
  const left = deferred()
  const drained = deferred()
  const port = await serverOf((response) => {
    response.onLeave = () => left.resolve()
    response.onDrain(() => drained.resolve())
    response.writeHead(200, ['content-type', 'text/plain'])
    const piece = Buffer.alloc(256 * 1024, 'x')
    const fill = () => {
      if (response.write(piece)) setImmediate(fill)
    }
    fill()
  })
  const socket = await connected(port)
  socket.write(headOf())
  await once(socket, 'readable')
  socket.resume()
  await drained.promise
  socket.destroy()
  await left.promise
})

test('a response that the client has whole is no leave', async () => {
  let left = false
  const closed = deferred()
  const port = await serverOf((response, req) => {
    response.onLeave = () => {
      left = true
    }
    req.socket.once('close', () => closed.resolve())
    response.writeHead(200, ['content-length', '2'])
    response.end(Buffer.from('ok'))
  })
  const socket = await connected(port)
  socket.write(headOf())
  await once(socket, 'data')
  socket.destroy()
  await closed.promise
  expect(left).toBe(false)
})

test('who takes nothing of what is left is cut off, also while it goes on sending', async () => {
  const port = await serverOf((response) => {
    response.writeHead(200, ['content-type', 'text/plain'])
    response.end(Buffer.alloc(24 * 1024 * 1024))
  }, 100)
  const socket = await connected(port)
  socket.on('error', () => {})
  socket.write(headOf())
  const talk = setInterval(() => socket.write('GET / HTTP/1.1\r\nx: y\r\n'), 10)
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(talk)
})

test('who reads slowly gets all of it, and its connection serves the next request', async () => {
  const bytes = 24 * 1024 * 1024
  const port = await serverOf((response) => {
    response.writeHead(200, ['content-length', String(bytes)])
    response.end(Buffer.alloc(bytes))
  }, 300)
  const agent = agentOf()
  const sockets = new Set<unknown>()
  for (let round = 0; round < 2; round++) {
    const asked = request({ agent, port, host: '127.0.0.1', method: 'POST' })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    sockets.add(response.socket)
    let received = 0
    let pauses = 0
    for await (const chunk of response) {
      received += (chunk as Buffer).length
      // Altogether longer than a client may take nothing.
      if (received > (pauses + 1) * 2_000_000) {
        pauses++
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    expect(received).toBe(bytes)
    expect(pauses).toBeGreaterThan(8)
  }
  expect(sockets.size).toBe(1)
})

test('a request that was sent ahead is served after a large response, and may take longer than a client may stall', async () => {
  const port = await serverOf((response, req) => {
    if (req.url === '/next') {
      setTimeout(() => {
        response.writeHead(200, ['content-length', '4'])
        response.end(Buffer.from('next'))
      }, 300)
      return
    }
    response.writeHead(200, ['content-type', 'text/plain'])
    response.end(Buffer.alloc(8 * 1024 * 1024))
  }, 100)
  const socket = await connected(port)
  socket.write(headOf() + headOf('/next'))
  let tail = ''
  const ended = deferred()
  socket.on('data', (chunk) => {
    tail = (tail + chunk.toString('latin1')).slice(-4)
    if (tail === 'next') ended.resolve()
  })
  await ended.promise
})

test('large responses one after another leave no listener behind on their connection', async () => {
  const text = 'x'.repeat(2_000_000)
  const port = await serverOf((response) => {
    response.writeHead(200, ['content-length', String(text.length)])
    response.end(Buffer.from(text))
  })
  const warnings: string[] = []
  const warn = (warning: Error) => void warnings.push(warning.name)
  process.on('warning', warn)
  const agent = agentOf()
  for (let i = 0; i < 15; i++) {
    const asked = request({ agent, port, host: '127.0.0.1', method: 'POST' })
    asked.end()
    const [response] = await once(asked, 'response')
    response.resume()
    await once(response, 'end')
  }
  process.off('warning', warn)
  expect(warnings).toEqual([])
})
