import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, isOutcomeUnknown } from '../../server/store/database.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { engines, openTestDatabase, silentLog } from '../support/engines.ts'

// MySQL only: a connection that breaks at the worst moment.

let direct: Database & { url: string }
let through: Database
/** What happens to the next packet that holds a COMMIT: passed on, swallowed with the connection, or passed on and then cut. */
let atCommit: 'pass' | 'cut before' | 'cut after' = 'pass'
let closeProxy: () => void

beforeAll(async () => {
  if (engines === 'embedded') return
  direct = await openTestDatabase()
  const url = new URL(direct.url)
  const sockets = new Set<Socket>()
  const [port, host] = [Number(url.port), url.hostname]
  const server = createServer((client) => {
    const upstream = connect(port, host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => [client, upstream].map((one) => one.destroy()))
    }
    upstream.on('data', (data) => client.write(data))
    client.on('data', (data) => {
      const isCommit = data.includes('COMMIT')
      if (!isCommit || atCommit !== 'cut before') upstream.write(data)
      if (!isCommit || atCommit === 'pass') return
      if (atCommit === 'cut before') client.destroy()
      // The server's answer shows that the commit is done; the client never sees it.
      else upstream.removeAllListeners('data').once('data', () => client.destroy())
      atCommit = 'pass'
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url.port = String(typeof address === 'object' ? address?.port : 0)
  through = await openDatabase({ url: url.href, log: silentLog })
  closeProxy = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
})
afterAll(async () => {
  if (engines === 'embedded') return
  await through.close()
  closeProxy()
  await direct.close()
})

const put = (name: string) => ({
  kind: 'run' as const,
  sql: 'INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)',
  args: [name, '', '2026-01-01'],
})
const isThere = async (name: string): Promise<boolean> => (await direct.client.setting.count({ where: { name } })) === 1

const services = test.runIf(engines === 'services')

services.each([
  ['before it arrived', 'cut before', false],
  ['before it was answered', 'cut after', true],
] as const)('a connection lost at the commit, %s, is an unknown outcome', async (_when, cut, written) => {
  atCommit = cut
  const lost = await through.batch([put(`batch ${cut}`)]).catch((error: unknown) => error)
  expect(isOutcomeUnknown(lost)).toBe(true)
  expect(await isThere(`batch ${cut}`)).toBe(written)

  atCommit = cut
  const name = `locked ${cut}`
  const locked = await through
    .locked(['settings'], (tx) => tx.setting.create({ data: { name, value: '' } }))
    .catch((error: unknown) => error)
  expect(isOutcomeUnknown(locked)).toBe(true)
  expect(await isThere(name)).toBe(written)

  // The pool works again.
  expect(await through.batch([put(`after ${cut}`)])).toEqual([1])
})

services('an error that the server answers is a known outcome', async () => {
  const refused = await through.batch([put('twice'), put('twice')]).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Error)
  expect(isOutcomeUnknown(refused)).toBe(false)
  expect(await isThere('twice')).toBe(false)
})
