import { expect, onTestFinished, test } from 'vitest'
import { createReload, type Noun } from '../../server/app/reload.ts'
import { createMemoryEvents } from '../../server/store/memory/events.ts'

const nouns = ['account', 'group', 'key', 'rule', 'settings'] as const

/** Two processes on the same events, and what each of them reads. */
async function startTwo() {
  const failures: unknown[] = []
  const events = createMemoryEvents((error) => void failures.push(error))
  onTestFinished(() => events.close())
  async function start() {
    const reads: string[] = []
    const published: string[] = []
    const failing = new Set<Noun>()
    const load = (noun: Noun) => async (id?: number) => {
      reads.push(`${noun} ${id ?? 'all'}`)
      if (failing.delete(noun)) throw new Error(`no ${noun}`)
    }
    const reload = await createReload({
      events,
      load: Object.fromEntries(nouns.map((noun) => [noun, load(noun)])) as Record<Noun, (id?: number) => Promise<void>>,
      onChanged: (noun, id) => void published.push(`${noun} ${id ?? 'all'}`),
    })
    return { reload, reads, published, failing }
  }
  return [await start(), await start()] as const
}

test('a change names its noun and row: each process reads that row once, and the one that made it publishes it', async () => {
  const [here, there] = await startTwo()
  await here.reload.changed('key', 7)
  await here.reload.changed('rule')
  await expect.poll(() => there.reads).toEqual(['key 7', 'rule all'])
  expect(here.reads).toEqual(['key 7', 'rule all'])
  expect([here.published, there.published]).toEqual([['key 7', 'rule all'], []])
})

test('changes that come while a read runs are read together after it, and after a failure all rows are', async () => {
  const [here] = await startTwo()
  const changes = [1, 2, 2, 3].map((id) => here.reload.read('account', id))
  await Promise.all(changes)
  expect(here.reads).toEqual(['account 1', 'account 2', 'account 3'])
  here.failing.add('group')
  await expect(here.reload.changed('group', 4)).rejects.toThrow('no group')
  expect(here.published).toEqual([])
  await here.reload.read('key', 5)
  expect(here.reads.slice(3)).toEqual(['group 4', 'group all', 'key 5'])
})
