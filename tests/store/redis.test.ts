import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import type { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openRedis } from '../../server/store/redis/connect.ts'
import { redisUrl, silentLog } from '../support/engines.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { hasServices } from './twins.ts'

const password = 'p%40ss-word'
const wrongPassword = '-WRONGPASS invalid username-password pair p@ss-word\r\n'

/** Speaks just enough of the protocol for a client to connect: `answer` gives the reply to each command by its name. */
async function createFakeRedis(
  answer: (command: string) => string,
): Promise<{ server: Server; address: string; drop(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      for (const [, name = ''] of bytes.toString().matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)/gm))
        socket.write(answer(name.toLowerCase()))
    })
  })
  const drop = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    drop()
    server.close()
  })
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}`, drop }
}

function createRecordingLog() {
  const lines: string[] = []
  const record = (fields: object, message: string): void => void lines.push(JSON.stringify([message, fields]))
  return { info: record, warn: record, error: record, lines }
}

/** Resolves when the connection has emitted `word` so many times; events.once would reject at the first error. */
function eventsOf(redis: Redis, word: string, times: number): Promise<void> {
  return new Promise((resolve) => {
    redis.on(word, () => {
      if (--times === 0) resolve()
    })
  })
}

test('a start without Redis fails in time, names the address and never the password', async () => {
  const { server, address } = await createFakeRedis(() => '')
  server.close()
  const log = createRecordingLog()
  const opening = openRedis(`redis://me:${password}@${address}`, log, { startTimeoutMs: 100 })
  await expect(opening).rejects.toThrow(`Redis at ${address} is not reachable after 100 ms: connect ECONNREFUSED`)
  expect(log.lines.length).toBeGreaterThan(0)
  expect(log.lines.join()).not.toMatch(/p%40ss|p@ss/)
})

test('a server that does not answer fails the start in time', async () => {
  const { address } = await createFakeRedis(() => '')
  const opening = openRedis(`redis://${address}`, silentLog, { startTimeoutMs: 100 })
  await expect(opening).rejects.toThrow(`Redis at ${address} is not reachable after 100 ms`)
})

test('a refused password fails the start at once, and neither error nor log carries it', async () => {
  const { address } = await createFakeRedis(() => wrongPassword)
  const log = createRecordingLog()
  const error: unknown = await openRedis(`redis://me:${password}@${address}`, log).catch((caught: unknown) => caught)
  expect((error as Error).message).toContain(`Redis at ${address} refuses us: WRONGPASS`)
  const text =
    log.lines.join() + JSON.stringify(error, Object.getOwnPropertyNames(error)) + inspect(error, { depth: null })
  expect(text).toContain('WRONGPASS')
  expect(text).not.toMatch(/p%40ss|p@ss/)
})

test('a server that wants a password which the address does not carry fails the start at once', async () => {
  const { address } = await createFakeRedis(() => '-NOAUTH Authentication required.\r\n')
  await expect(openRedis(`redis://${address}`, silentLog)).rejects.toThrow(`Redis at ${address} refuses us: NOAUTH`)
})

test('a password refused later, after a break, is in no error of a waiting command either', async () => {
  let accepts = true
  const fake = await createFakeRedis((command) => {
    if (command === 'info') return '$0\r\n\r\n'
    return accepts || command !== 'auth' ? '+OK\r\n' : wrongPassword
  })
  const log = createRecordingLog()
  const redis = await openRedis(`redis://me:${password}@${fake.address}`, log)
  onTestFinished(() => redis.close())
  accepts = false
  const broken = eventsOf(redis.subscriber, 'close', 1)
  fake.drop()
  await broken
  const error: unknown = await redis.subscriber.subscribe('t').catch((caught: unknown) => caught)
  expect((error as Error).message).toContain('WRONGPASS')
  expect(inspect(error, { depth: null, showHidden: true }) + log.lines.join()).not.toMatch(/p%40ss|p@ss/)
})

test.each(['localhost:6379', 'http://127.0.0.1', 'redis://', `nonsense ${password}`, 'redis://me:p%40ss%zz@127.0.0.1'])(
  '%s is no Redis URL',
  async (url) => {
    const error: unknown = await openRedis(url, silentLog).catch((caught: unknown) => caught)
    expect((error as Error).message).toContain('the Redis URL must look like')
    expect(inspect(error, { depth: null })).not.toContain('p%40ss')
  },
)

describe.runIf(hasServices)('redis only', () => {
  test('while Redis is away commands fail soon, and both connections come back by themselves with one line each way', async () => {
    const wire = await createFaultProxy({ target: redisUrl })
    onTestFinished(() => wire.close())
    const log = createRecordingLog()
    const redis = await openRedis(wire.url, log)
    onTestFinished(() => redis.close())
    const both = [redis.commands, redis.subscriber]
    expect(log.lines).toEqual([])
    const broken = both.map((one) => eventsOf(one, 'close', 1))
    // Several attempts are refused before the connection works again.
    const refused = both.map((one) => eventsOf(one, 'reconnecting', 4))
    await wire.down()
    await Promise.all(broken)
    await expect(redis.commands.get('anything')).rejects.toThrow("Stream isn't writeable")
    await Promise.all(refused)
    const back = both.map((one) => eventsOf(one, 'ready', 1))
    await wire.up()
    await Promise.all(back)
    expect(await redis.commands.ping()).toBe('PONG')
    const lines = (text: string): number => log.lines.filter((line) => line.includes(text)).length
    expect(lines('is back')).toBe(2)
    expect(lines('ECONNREFUSED')).toBe(2)
  })

  test('a command that Redis does not answer fails in its time', async () => {
    const redis = await openRedis(redisUrl, silentLog, { commandTimeoutMs: 50 })
    onTestFinished(() => redis.close())
    await expect(redis.commands.blpop('nothing-comes-here', 1)).rejects.toThrow('Command timed out')
  })
})
