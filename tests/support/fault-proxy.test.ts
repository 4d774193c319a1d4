import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { deferred } from './deferred.ts'
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts'
import { listening } from './listening.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A proxy in front of a server that sends `answer` after the first byte and ends. `visit` returns what a client received. */
async function setUp(answer: string) {
  const received: string[] = []
  const server = createServer({ noDelay: true }, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      received.push(chunk.toString())
      socket.end(answer)
    })
  })
  const { port, close } = await listening(server)
  const proxy = await createFaultProxy({ target: `http://127.0.0.1:${port}` })
  closers.push(close, () => proxy.close())
  return { proxy, received }
}

function dial(proxy: FaultProxy): Socket {
  return connect({ port: proxy.port, host: '127.0.0.1' })
}

async function visit(proxy: FaultProxy): Promise<{ chunks: string[]; text: string; end: string; ms: number }> {
  const startedAt = performance.now()
  const socket = dial(proxy)
  const chunks: string[] = []
  const ended = deferred<string>()
  socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString('latin1')))
  socket.once('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? 'error'))
  socket.once('end', () => ended.resolve('FIN'))
  socket.write('hello')
  const end = await ended.promise
  socket.destroy()
  return { chunks, text: chunks.join(''), end, ms: performance.now() - startedAt }
}

test('without faults bytes and ends pass as they are', async () => {
  const { proxy, received } = await setUp('world')
  expect(await visit(proxy)).toMatchObject({ text: 'world', end: 'FIN' })
  expect(received).toEqual(['hello'])
  expect(proxy.accepted()).toBe(1)
})

test('the slicer gives the client every byte in a write of its own', async () => {
  const { proxy } = await setUp('👩‍👩‍👧‍👦'.repeat(20))
  proxy.set('toClient', { sliceBytes: 1 })
  const { chunks, text } = await visit(proxy)
  expect(Buffer.from(text, 'latin1').toString()).toBe('👩‍👩‍👧‍👦'.repeat(20))
  expect(chunks.length).toBeGreaterThan(100)
})

test('reset after n bytes gives n bytes and then RST; a limit gives n bytes and then FIN', async () => {
  const { proxy } = await setUp('0123456789')
  proxy.set('toClient', { resetAfterBytes: 4 })
  expect(await visit(proxy)).toMatchObject({ text: '0123', end: 'ECONNRESET' })
  proxy.clear()
  proxy.set('toClient', { limitBytes: 6 })
  expect(await visit(proxy)).toMatchObject({ text: '012345', end: 'FIN' })
})

test('latency, bandwidth and slow close each take their time', async () => {
  const { proxy } = await setUp('x'.repeat(100))
  for (const faults of [{ latencyMs: 60 }, { bytesPerSecond: 1_600 }, { slowCloseMs: 60 }]) {
    proxy.set('toClient', faults)
    const { text, ms } = await visit(proxy)
    expect(text).toHaveLength(100)
    expect(ms, JSON.stringify(faults)).toBeGreaterThan(55)
    proxy.clear()
  }
})

test('a silent line passes nothing, either way, until it is taken back', async () => {
  const { proxy, received } = await setUp('world')
  for (const direction of ['toUpstream', 'toClient'] as const) {
    proxy.set(direction, { silent: true })
    const visiting = visit(proxy)
    const early = await Promise.race([visiting, new Promise((resolve) => setTimeout(resolve, 50, 'silence'))])
    expect(early).toBe('silence')
    proxy.clear()
    expect(await visiting).toMatchObject({ text: 'world', end: 'FIN' })
  }
  expect(received).toHaveLength(2)
})

test('down refuses and drops, up accepts at the same port', async () => {
  const { proxy } = await setUp('world')
  const idle = dial(proxy)
  await once(idle, 'connect')
  const dropped = once(idle, 'close')
  await proxy.down()
  await dropped
  expect(await visit(proxy)).toMatchObject({ end: 'ECONNREFUSED' })
  await proxy.up()
  expect(await visit(proxy)).toMatchObject({ text: 'world' })
  expect(proxy.connections()).toBeLessThanOrEqual(1)
})
