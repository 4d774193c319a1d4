import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { createByteBudget } from '../../server/relay/byte-budget.ts'
import { type ReadLimits, readBody } from '../../server/relay/request/read-body.ts'
import { deferred } from '../support/deferred.ts'
import { listening } from '../support/listening.ts'

const limits: ReadLimits = { bodyBytes: 1000, bodyMs: 2000, bytesPerSecond: 1_000_000 }

/** Sends one request over a socket; `send` writes its body. What readBody said of it, and the budget afterwards. */
async function reading(
  headers: Record<string, string>,
  send: (sending: ReturnType<typeof request>) => void,
  budget = createByteBudget(10_000, 10_000),
  allowed = limits,
) {
  const result = deferred<Awaited<ReturnType<typeof readBody>>>()
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    readBody(req, res, budget.shareOf(1), allowed).then((body) => {
      res.end()
      result.resolve(body)
    }, result.reject)
  })
  const { port, close } = await listening(server)
  onTestFinished(close)
  const sending = request({ port, host: '127.0.0.1', method: 'POST', headers })
  sending.on('error', () => {})
  send(sending)
  const body = await result.promise
  sending.destroy()
  return { body, budget }
}

const textOf = (body: Awaited<ReturnType<typeof readBody>>) =>
  body === null ? 'the client left' : 'bytes' in body ? body.bytes.toString() : body.code

test.each([
  ['identity', (text: string) => Buffer.from(text)],
  ['gzip', gzipSync],
  ['X-GZIP', gzipSync],
  ['deflate', deflateSync],
  [' br ', brotliCompressSync],
] as [string, (text: string) => Buffer][])(
  'a body in %j is read, held in the budget once, and given back once',
  async (encoding, compress) => {
    const { body, budget } = await reading({ 'content-encoding': encoding }, (sending) =>
      sending.end(compress('x'.repeat(900))),
    )
    expect(textOf(body)).toBe('x'.repeat(900))
    expect(budget.taken()).toBe(900)
    if (body && 'give' in body) {
      body.give()
      body.give()
    }
    expect(budget.taken()).toBe(0)
  },
)

test.each([
  ['too large plain', 'identity', Buffer.alloc(1001), 'body_too_large'],
  ['too large decoded', 'gzip', gzipSync(Buffer.alloc(1001)), 'body_too_large'],
  ['no gzip at all', 'gzip', Buffer.from('{}'), 'request_invalid'],
  ['cut gzip', 'gzip', gzipSync('{}').subarray(0, 12), 'request_invalid'],
  ['nothing', 'gzip', Buffer.alloc(0), 'request_invalid'],
  ['unknown', 'constructor', Buffer.from('{}'), 'body_encoding_unsupported'],
])('a body that is %s is refused and leaves nothing in the budget', async (_name, encoding, bytes, code) => {
  const lengths: Record<string, string>[] = [{}, { 'content-length': String(bytes.length) }]
  for (const length of lengths) {
    const { body, budget } = await reading({ 'content-encoding': encoding, ...length }, (sending) => sending.end(bytes))
    expect(textOf(body)).toBe(code)
    expect(budget.taken()).toBe(0)
  }
})

test('fault 4: what a bomb unpacks is paid for piece by piece, while it is unpacked', async () => {
  const megabyte = 1024 * 1024
  const budget = createByteBudget(megabyte, megabyte)
  const taken: number[] = []
  const watching = {
    ...budget,
    shareOf: (keyId: number) => ({
      ...budget.shareOf(keyId),
      take(bytes: number) {
        taken.push(bytes)
        return budget.shareOf(keyId).take(bytes)
      },
    }),
  }
  const bomb = gzipSync(Buffer.alloc(20 * megabyte))
  const roomy = { ...limits, bodyBytes: 32 * megabyte }
  const { body } = await reading({ 'content-encoding': 'gzip' }, (sending) => sending.end(bomb), watching, roomy)
  expect(textOf(body)).toBe('body_memory_full')
  expect(Math.max(...taken)).toBeLessThanOrEqual(64 * 1024)
  expect(budget.taken()).toBe(0)
})

test('a client that leaves in the middle leaves nothing in the budget', async () => {
  const announced: Record<string, string>[] = [{ 'content-length': '800' }, { 'transfer-encoding': 'chunked' }]
  for (const headers of announced) {
    const { body, budget } = await reading(headers, (sending) => {
      sending.write('x'.repeat(100), () => sending.destroy())
    })
    expect(body).toBeNull()
    expect(budget.taken()).toBe(0)
  }
})

test('fault 49: an announced length takes nothing; bytes do when they arrive, and the one too many is refused', async () => {
  const budget = createByteBudget(700, 700)
  const arrived = deferred()
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    void readBody(req, res, budget.shareOf(1), limits)
    req.once('data', () => arrived.resolve())
  })
  const { port, close } = await listening(server)
  onTestFinished(close)
  const sending = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': '1000' } })
  sending.on('error', () => {})
  sending.write('x'.repeat(100))
  await arrived.promise
  expect(budget.taken()).toBe(100)
  const other = await reading({ 'content-length': '600' }, (body) => body.end('x'.repeat(600)), budget)
  expect(textOf(other.body)).toBe('x'.repeat(600))
  const third = await reading({ 'content-length': '1' }, (body) => body.end('x'), budget)
  expect(textOf(third.body)).toBe('body_memory_full')
  sending.destroy()
})

test('a key takes two thirds of the budget at most, and always leaves something to the next', () => {
  const budget = createByteBudget(900, 0)
  const most = (keyId: number) => {
    let bytes = 0
    while (budget.shareOf(keyId).take(1)) bytes++
    return bytes
  }
  expect([most(1), most(2), most(3)]).toEqual([600, 200, 66])
  budget.shareOf(1).give(600)
  expect(budget.taken()).toBe(266)
  expect(createByteBudget(900, 800).shareOf(1).take(800)).toBe(true)
})

test('a body without bytes is read as one without bytes', async () => {
  const { body } = await reading({ 'content-length': '0' }, (sending) => sending.end())
  expect(textOf(body)).toBe('')
})
