import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { expect, test } from 'vitest'
import { countOf, ledgerSums, misfits } from '../ledger/ledger-sums.ts'
import { expectExactCounters } from '../program/kill-report.ts'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { messageEvents, usageOf } from '../support/fake-message.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'

const secrets = ['sk-free-0123456789abcdef', 'sk-limited-0123456789abcdef']
const keys = [
  { name: 'free', secret: secrets[0], group: 'g' },
  { name: 'limited', secret: secrets[1], group: 'g', dailyLimitUsd: '1000', totalLimitUsd: '5000' },
]

async function ask(relay: RelayApp, number: number): Promise<{ status: number; text: string }> {
  const response = await fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets[number % 2]}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'claude-opus-5-5',
      max_tokens: 10,
      stream: true,
      messages: [{ role: 'user', content: `${number}` }],
    }),
  })
  return { status: response.status, text: await response.text() }
}

async function expectAgreement(relay: RelayApp, rows: number, tokensOut: number): Promise<void> {
  const { database } = relay.app
  expect(await countOf(database, 'SELECT COUNT(*) FROM `logs`')).toBe(rows)
  expect(await countOf(database, 'SELECT SUM(`output_tokens`) FROM `logs`')).toBe(tokensOut)
  const sums = await ledgerSums(database)
  expect(sums.hourly).toEqual(sums.logs)
  expect(sums.daily).toEqual(sums.logs)
  expect(sums.hourlyLines).toEqual(sums.logs)
  expect(sums.dailyLines).toEqual(sums.logs)
  expect(await misfits(database)).toBe(0)
}

/** How this run's database goes away and comes back. */
async function breakable(dataDir: string) {
  if (engines === 'embedded') {
    const env = { DATABASE_URL: `file:${join(dataDir, 'relay.db')}` }
    let other: Sqlite.Database | undefined
    return {
      env,
      break: async () => {
        // Another program that writes and does not end: the relay's writer waits 5 s, then fails.
        other = new Sqlite(join(dataDir, 'relay.db'))
        other.exec('BEGIN IMMEDIATE')
      },
      mend: async () => {
        other?.exec('ROLLBACK')
        other?.close()
      },
      close: async () => undefined,
    }
  }
  const address = await newDatabaseAddress()
  const url = new URL(address.url)
  const proxy = await createFaultProxy({ target: `http://${url.host}` })
  url.port = String(proxy.port)
  return {
    env: { DATABASE_URL: url.href, REDIS_URL: redisUrl },
    break: () => proxy.down(),
    mend: () => proxy.up(),
    async close() {
      await proxy.close()
      await address.drop()
    },
  }
}

test('while the database is away every request is answered, and afterwards the ledger is whole', {
  timeout: 90_000,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'relay-outage-'))
  const upstream = await createFakeUpstream()
  const database = await breakable(dataDir)
  const relay = await startRelayApp({
    dataDir,
    keepData: true,
    accounts: [{ url: upstream.url }],
    keys,
    env: database.env,
  })
  try {
    let number = 0
    const askMany = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, () => ask(relay, number++)))
      for (const { status, text } of answers)
        expect([status, text.includes('event: message_stop')]).toEqual([200, true])
    }
    const complaints = () => relay.log.filter((line) => line.includes('writing the ledger failed')).length
    await askMany(2)
    await relay.app.settled()
    await database.break()
    do await askMany(10)
    while (complaints() === 0)
    await askMany(10)
    await expect(relay.app.settled()).rejects.toThrow('does not take the ledger')
    await database.mend()
    await expect
      .poll(
        () =>
          relay.app.settled().then(
            () => 'whole',
            () => 'not yet',
          ),
        { timeout: 20_000 },
      )
      .toBe('whole')
    await expectAgreement(relay, number, upstream.totals.tokens.output)
    if (engines === 'services')
      expect(await expectExactCounters(relay.app.database)).toMatchObject({ counterDriftNano: 0 })
    console.info(`database away: ${number} requests, ${complaints()} failed batches, ${number} rows`)
  } finally {
    await relay.stop()
    await upstream.close()
    await database.close()
    expect(readdirSync(join(dataDir, 'journal'))).toEqual([])
    rmSync(dataDir, { recursive: true })
  }
})

/** A disk of half a megabyte for the journal alone; needs the right to mount. */
function smallDisk(): { dataDir: string; fill(): void; free(): void; remove(): void } | null {
  const dataDir = mkdtempSync(join(tmpdir(), 'relay-full-'))
  const folder = join(dataDir, 'journal')
  mkdirSync(folder)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]).status !== 0) {
    rmSync(dataDir, { recursive: true })
    return null
  }
  const filler = join(folder, 'filler')
  return {
    dataDir,
    fill() {
      try {
        writeFileSync(filler, Buffer.alloc(1024 * 1024))
      } catch {}
    },
    free: () => rmSync(filler),
    remove() {
      spawnSync('umount', [folder])
      rmSync(dataDir, { recursive: true })
    },
  }
}

const disk = smallDisk()

test.runIf(disk)(
  'a full disk turns new requests away with 503, loses none under way, and leaves no trace once there is space',
  async () => {
    const { dataDir, fill, free, remove } = disk!
    const upstream = await createFakeUpstream()
    const relay = await startRelayApp({
      dataDir,
      keepData: true,
      accounts: [{ url: upstream.url }],
      keys,
      timers: { idleMs: 10_000 },
    })
    try {
      const full = deferred()
      upstream.script(async (exchange) => {
        const tokens = usageOf(exchange.request.body.length, 0)
        exchange.count('claude-opus-5-5', tokens)
        const events = messageEvents('claude-opus-5-5', tokens, 0, 3)
        await exchange.sse(events, { pace: (write) => (write === 4 ? full.promise : undefined) })
      })
      const underWay = ask(relay, 0)
      await upstream.arrived(0)
      fill()
      // The last page of the file has some room left.
      let refused = await ask(relay, 1)
      let served = 0
      for (; refused.status === 200 && served < 50; served++) refused = await ask(relay, served)
      expect(refused).toEqual({ status: 503, text: expect.stringContaining('cannot record usage') })
      const reached = upstream.requests.length
      full.resolve()
      expect((await underWay).text).toContain('event: message_stop')
      await relay.app.settled()
      await expectAgreement(relay, reached, upstream.totals.tokens.output)
      expect((await ask(relay, 3)).status).toBe(503)
      expect(upstream.requests).toHaveLength(reached)
      free()
      expect((await ask(relay, 4)).status).toBe(200)
      await relay.app.settled()
      await expectAgreement(relay, reached + 1, upstream.totals.tokens.output)
    } finally {
      await relay.stop()
      await upstream.close()
      expect(readdirSync(join(dataDir, 'journal'))).toEqual([])
      remove()
    }
  },
)
