import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLease } from '../../server/jobs/lease.ts'
import { createRedisLocks } from '../../server/store/redis/locks.ts'
import { connect, hasServices, twins } from '../store/twins.ts'

const times = { ttlMs: 300, retryMs: 20 }

describe.each(twins)('%s', (_name, openTwin) => {
  test('one of several leads; when it stops another does, and never two at once', async () => {
    const twin = openTwin()
    const errors: unknown[] = []
    const leases: ReturnType<typeof createLease>[] = []
    for (let n = 0; n < 3; n++) {
      const locks = await twin.locks({ waitMs: 0 })
      leases.push(createLease({ locks, name: 'jobs', times, onError: (error) => void errors.push(error) }))
    }
    onTestFinished(async () => void (await Promise.all(leases.map((lease) => lease.stop()))))
    const leading = () => leases.filter((lease) => lease.leads())
    await expect.poll(() => leading().length).toBe(1)
    const [first] = leading()
    await first!.stop()
    expect(first!.leads()).toBe(false)
    await expect.poll(() => leading().length).toBe(1)
    await leading()[0]!.stop()
    await expect.poll(() => leading().length).toBe(1)
    expect(errors).toEqual([])
  })
})

test.runIf(hasServices)('a process that dies leads no longer than its lease lives', async () => {
  const prefix = `test-${randomUUID()}`
  const dead = await connect(prefix)
  const living = await connect(prefix)
  const leaseOf = ({ commands }: typeof dead) =>
    createLease({
      locks: createRedisLocks({ redis: commands, prefix, waitMs: 0 }),
      name: 'jobs',
      times,
      onError: () => {},
    })
  const first = leaseOf(dead)
  await expect.poll(() => first.leads()).toBe(true)
  const second = leaseOf(living)
  onTestFinished(async () => void (await Promise.all([first.stop(), second.stop()])))
  expect(second.leads()).toBe(false)
  dead.commands.disconnect()
  await expect.poll(() => second.leads(), { timeout: 5000 }).toBe(true)
  // It cannot know whether it still leads, and so does not.
  await expect.poll(() => first.leads(), { timeout: 5000 }).toBe(false)
})
