import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LockBusy } from '../../server/store/locks/locks.ts'
import { createRedisLocks } from '../../server/store/redis/locks.ts'
import { gate } from '../support/deferred.ts'
import { redisUrl } from '../support/engines.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { connect, hasServices, twins } from './twins.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe.each(twins)('%s', (_name, openTwin) => {
  test('under one name one works at a time, whichever process it is in, and every result comes back', async () => {
    const twin = openTwin()
    const processes = [await twin.locks({}), await twin.locks({})]
    let inside = 0
    let most = 0
    const results = await Promise.all(
      [...Array(20).keys()].map((i) =>
        processes[i % 2]!.withLock('accounts:7', 5_000, async () => {
          most = Math.max(most, ++inside)
          await turn()
          await turn()
          inside--
          return i
        }),
      ),
    )
    expect(most).toBe(1)
    expect(results).toEqual([...Array(20).keys()])
  })

  test('other names do not wait', async () => {
    const locks = await openTwin().locks({})
    const door = gate()
    const held = locks.withLock('a', 5_000, () => door.passed)
    expect(await locks.withLock('b', 5_000, async () => 'ran')).toBe('ran')
    door.open()
    await held
  })

  test('a failure inside comes out and frees the lock', async () => {
    const locks = await openTwin().locks({ waitMs: 1_000 })
    await expect(locks.withLock('a', 5_000, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside')
    expect(await locks.withLock('a', 5_000, async () => 'next')).toBe('next')
  })

  test('the wait is bounded: who gives up has not run, and the others keep their turn', async () => {
    const twin = openTwin()
    const [patient, hasty] = [await twin.locks({ waitMs: 30 }), await twin.locks({ waitMs: 30 })]
    const [inside, door] = [gate(), gate()]
    const held = patient.withLock('a', 5_000, () => {
      inside.open()
      return door.passed
    })
    await inside.passed
    let ran = 0
    const waits = [patient, hasty, patient].map((locks) => locks.withLock('a', 5_000, async () => void ran++))
    for (const outcome of await Promise.allSettled(waits)) {
      expect(outcome.status).toBe('rejected')
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(LockBusy)
    }
    door.open()
    await held
    expect(ran).toBe(0)
    await Promise.all([patient, hasty].map((locks) => locks.withLock('a', 5_000, async () => void ran++)))
    expect(ran).toBe(2)
  })
})

describe.runIf(hasServices)('redis only', () => {
  const join = async (prefix: string, times: { waitMs?: number } = {}, url = redisUrl) => {
    const { commands } = await connect(prefix, url)
    return { commands, locks: createRedisLocks({ ...times, redis: commands, prefix, pollMs: 5 }) }
  }

  test('a lock outlives its time to live while its holder works, and ends with it when the holder died', async () => {
    const prefix = `test-${randomUUID()}`
    const { commands, locks } = await join(prefix, { waitMs: 2_000 })
    const ttlMs = 60
    await locks.withLock('a', ttlMs, async (signal) => {
      // For five times the time to live of the key.
      for (const until = performance.now() + 5 * ttlMs; performance.now() < until; await turn()) {
        expect(await commands.exists(`{${prefix}}:lock:a`)).toBe(1)
      }
      expect(signal.aborted).toBe(false)
    })
    expect(await commands.exists(`{${prefix}}:lock:a`)).toBe(0)
    await commands.set(`{${prefix}}:lock:a`, 'a dead process', 'PX', ttlMs)
    expect(await locks.withLock('a', ttlMs, async () => 'taken over')).toBe('taken over')
  })

  test('a holder whose lock went to another gets the signal, and does not free the lock of the other', async () => {
    const prefix = `test-${randomUUID()}`
    const { commands, locks } = await join(prefix)
    await locks.withLock('a', 60, async (signal) => {
      await commands.set(`{${prefix}}:lock:a`, 'another', 'PX', 60_000)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    expect(await commands.get(`{${prefix}}:lock:a`)).toBe('another')
  })

  test('a holder that cannot reach Redis gets the signal when the time to live is over', async () => {
    const prefix = `test-${randomUUID()}`
    const wire = await createFaultProxy({ target: redisUrl })
    onTestFinished(() => wire.close())
    const { locks } = await join(prefix, {}, wire.url)
    const reason = await locks.withLock('a', 90, async (signal) => {
      await wire.down()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return signal.reason as Error
    })
    expect(reason.message).toBe('lock a was lost')
  })
})
