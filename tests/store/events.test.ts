import { describe, expect, test } from 'vitest'
import type { Json } from '../../server/store/events.ts'
import { createInbox } from './inbox.ts'
import { twins } from './twins.ts'

const never = (error: unknown): never => {
  throw error
}

describe.each(twins)('%s', (name, openTwin) => {
  test('a message reaches every listener of its topic in every process once, in order, and nobody else', async () => {
    const twin = openTwin()
    const [here, there] = [await twin.events(never), await twin.events(never)]
    const [mine, mineToo, others, elsewhere] = [createInbox(), createInbox(), createInbox(), createInbox()]
    await here.subscribe('account', mine.listener)
    await here.subscribe('account', mineToo.listener)
    await there.subscribe('account', others.listener)
    await there.subscribe('accounts', elsewhere.listener)
    const sent: Json[] = [{ id: 1, name: 'ü "quoted" \n' }, [1, null, true], 'text', 9_007_199_254_740_991]
    for (const message of sent) here.publish('account', message)
    there.publish('account', 'from there')
    for (const inbox of [mine, mineToo, others]) {
      await inbox.until(sent.length + 1)
      expect(inbox.messages.filter((message) => message !== 'from there')).toEqual(sent)
    }
    // When this later message arrives, a second copy of the first would have arrived too.
    here.publish('account', 'last')
    there.publish('account', 'last')
    for (const inbox of [mine, mineToo, others])
      expect(await inbox.until(sent.length + 3)).toHaveLength(sent.length + 3)
    expect(elsewhere.messages).toEqual([])
  })

  test('the publisher goes on first: listeners hear after its turn, a copy of what it was then', async () => {
    const events = await openTwin().events(never)
    const inbox = createInbox()
    await events.subscribe('t', inbox.listener)
    await events.subscribe('t', (message) => void Object.assign(message as object, { spoilt: true }))
    const message = { state: 'ready' }
    events.publish('t', message)
    message.state = 'changed later'
    expect(inbox.messages).toEqual([])
    expect(await inbox.until(1)).toEqual([{ state: 'ready' }])
    expect(() => events.publish('t', 1n as unknown as Json)).toThrow('BigInt')
  })

  test('a listener that throws or rejects is reported by topic and stops nobody', async () => {
    const reports: string[] = []
    const events = await openTwin().events((error, doing) => reports.push(`${doing}: ${(error as Error).message}`))
    const inbox = createInbox()
    await events.subscribe('t', () => {
      throw new Error('thrown')
    })
    await events.subscribe('t', () => Promise.reject(new Error('rejected')))
    await events.subscribe('t', inbox.listener)
    events.publish('t', 1)
    events.publish('t', 2)
    expect(await inbox.until(2)).toEqual([1, 2])
    expect(reports.sort()).toEqual([
      ...Array(2).fill('listener of t: rejected'),
      ...Array(2).fill('listener of t: thrown'),
    ])
  })

  test('who has left hears nothing more, also of what was on its way, while the same function still listens elsewhere', async () => {
    const twin = openTwin()
    const [here, there] = [await twin.events(never), await twin.events(never)]
    const [leaver, stayer] = [createInbox(), createInbox()]
    const leave = await here.subscribe('t', leaver.listener)
    await here.subscribe('t', stayer.listener)
    const leaveToo = await here.subscribe('t', stayer.listener)
    here.publish('t', 'on its way')
    await Promise.all([leave(), leave(), leaveToo()])
    there.publish('t', 'later')
    expect(await stayer.until(2)).toEqual(['on its way', 'later'])
    expect(leaver.messages).toEqual([])
    // The last listener leaves and a new one comes: the topic is live again.
    const next = createInbox()
    const only = await here.subscribe('u', leaver.listener)
    await Promise.all([only(), here.subscribe('u', next.listener)])
    there.publish('u', 'to the next')
    expect(await next.until(1)).toEqual(['to the next'])
    expect(leaver.messages).toEqual([])
  })

  test('after the close nobody hears anything and nothing fails', async () => {
    const twin = openTwin()
    const events = await twin.events(never)
    const inbox = createInbox()
    await events.subscribe('t', inbox.listener)
    events.publish('t', 'too late')
    await events.close()
    events.publish('t', 'afterwards')
    const probe = name === 'redis' ? await twin.events(never) : events
    const last = createInbox()
    await probe.subscribe('t', last.listener)
    probe.publish('t', 'last')
    await last.until(1)
    expect(inbox.messages).toEqual([])
  })
})
