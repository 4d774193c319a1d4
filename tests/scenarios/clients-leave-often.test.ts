import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { goldenStreams } from '../support/golden-streams.ts'
import { listening } from '../support/listening.ts'
import { megabytesMoreAfter } from './collected.ts'
import { keyOf, startPools, usualBody } from './pools.ts'

/** The upstream remembers nothing, so that what stays is the relay's. */
test('fault 34: a thousand clients that come and leave: sockets and memory are back where they were', async () => {
  const { text } = goldenStreams()
  let turn = 0
  const server = createServer((request, response) => {
    request.resume()
    // A third are left before headers, a third in mid-stream, a third may get the whole answer.
    const kind = turn++ % 3
    if (kind === 0) return
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (kind === 1) response.write(text.bytes.subarray(0, 900))
    else response.end(text.bytes)
  })
  const upstream = await listening(server)
  const relay = await startPools(
    { p: [{ url: `http://127.0.0.1:${upstream.port}` }] },
    {
      timers: { firstByteStreamMs: 60_000, idleMs: 60_000, pingMs: 60_000 },
      // What live subscribers can go back to is memory with a bound of its own: here it is full before the count begins.
      liveRing: { slots: 64, bytes: 64 * 1024 },
    },
  )
  const body = JSON.stringify(usualBody)
  const head = `POST /claude-code/v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${keyOf('p')}\r\ncontent-length: ${body.length}\r\n\r\n`

  async function comeAndLeave(index: number): Promise<void> {
    const arrived = turn
    const client = connect({ host: '127.0.0.1', port: Number(new URL(relay.base).port) })
    client.on('error', () => {})
    await once(client, 'connect')
    client.write(head + body)
    // Some leave at once, the others when the upstream has been asked or the answer has begun.
    if (index % 4 === 1) while (turn === arrived) await new Promise((resolve) => setImmediate(resolve))
    else if (index % 4 === 2)
      await Promise.race([once(client, 'data'), new Promise((resolve) => setTimeout(resolve, 20))])
    if (index % 2 === 0) client.resetAndDestroy()
    else client.destroy()
    await (client.closed || once(client, 'close'))
  }

  async function cycles(count: number): Promise<void> {
    let next = 0
    const worker = async () => {
      while (next < count) await comeAndLeave(next++)
    }
    await Promise.all(Array.from({ length: 20 }, worker))
    await relay.app.settled()
    await expect.poll(() => upstream.sockets.size, { timeout: 5000 }).toBeLessThanOrEqual(20)
  }
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

  try {
    await cycles(300)
    const before = sockets()
    // What is lazily built, or compiled late, makes one round grow; what leaks makes every round grow.
    const grown: number[] = []
    do grown.push(await megabytesMoreAfter(() => cycles(1000)))
    while (grown.at(-1)! >= 2 && grown.length < 3)
    const more = sockets() - before
    console.info(
      `after 1000 clients that left: ${grown.map((mb) => mb.toFixed(2)).join(', ')} MB more, ${more} sockets more`,
    )
    expect(more).toBeLessThanOrEqual(20)
    expect(grown.at(-1)).toBeLessThan(2)
    const rows = await relay.rows()
    expect(new Set(rows.map((row) => row.requestId)).size).toBe(rows.length)
    expect(rows.filter((row) => row['outcome'] === 'aborted').length).toBeGreaterThan(300)
    expect(rows.every((row) => ['aborted', 'completed'].includes(String(row['outcome'])))).toBe(true)
  } finally {
    await relay.stop()
    await upstream.close()
  }
})
