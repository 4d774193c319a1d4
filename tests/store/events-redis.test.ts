import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createRedisEvents } from '../../server/store/redis/events.ts'
import { redisUrl } from '../support/engines.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { createInbox } from './inbox.ts'
import { connect, hasServices } from './twins.ts'

describe.runIf(hasServices)('redis only', () => {
  test('after a break subscriptions are live before onReconnect is called; own messages arrive all the time', async () => {
    const prefix = `test-${randomUUID()}`
    const wire = await createFaultProxy({ target: redisUrl })
    onTestFinished(() => wire.close())
    const reports: string[] = []
    const near = await connect(prefix, wire.url)
    const far = await connect(prefix)
    const report = (_error: unknown, doing: string): void => void reports.push(doing)
    const here = createRedisEvents({ ...near, prefix, report })
    const there = createRedisEvents({ ...far, prefix, report })
    const inbox = createInbox()
    await here.subscribe('t', inbox.listener)
    const hooks: string[] = []
    const back = new Promise<void>((resolve) => {
      here.onReconnect(() => {
        throw new Error('a hook of another')
      })
      here.onReconnect(() => {
        hooks.push('back')
        // Published while onReconnect is called: lost unless the subscription is already live.
        there.publish('t', 'after')
        resolve()
      })
      here.onReconnect(() => hooks.push('left'))()
    })

    const broken = new Promise((resolve) => near.subscriber.once('close', resolve))
    await wire.down()
    await broken
    there.publish('t', 'lost')
    for (const message of ['own', 'own too']) here.publish('t', message)
    expect(await inbox.until(2)).toEqual(['own', 'own too'])
    await expect.poll(() => reports).toEqual(['publish t'])
    await wire.up()
    await back
    expect(await inbox.until(3)).toEqual(['own', 'own too', 'after'])
    expect(hooks).toEqual(['back'])
    expect(reports).toEqual(['publish t', 'listener of reconnects'])
  })

  test('a foreign message that is not ours in shape is ignored or reported, and the next one arrives', async () => {
    const prefix = `test-${randomUUID()}`
    const reports: string[] = []
    const connections = await connect(prefix)
    const far = await connect(prefix)
    const events = createRedisEvents({ ...connections, prefix, report: (_error, doing) => void reports.push(doing) })
    const inbox = createInbox()
    await events.subscribe('t', inbox.listener)
    for (const text of ['', 'nonsense', 'x {"cut":']) await far.commands.publish(`${prefix}:events:t`, text)
    await far.commands.publish(`${prefix}:events:t`, 'somebody {"a":1}')
    expect(await inbox.until(1)).toEqual([{ a: 1 }])
    expect(reports).toEqual(['listener of t'])
  })
})
