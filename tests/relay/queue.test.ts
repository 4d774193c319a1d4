import { expect, test } from 'vitest'
import type { RunningRequest } from '../../server/relay/request/relay-request.ts'
import { createQueue } from '../../server/relay/routing/queue.ts'
import type { RequestCriteria } from '../../server/relay/routing/route-criteria.ts'
import { accountOf } from './some-account.ts'

/** A line before one account with a number of slots; names are key and number: `a1` is key 1's. */
function stand(options: { slots?: number; length?: number; waitMs?: number } = {}) {
  const slot = { account: accountOf(), free() {} }
  const clock = { atMs: 1_000_000 }
  const state = { free: options.slots ?? 0, waits: true }
  const served: string[] = []
  const given: string[] = []
  const positions = new Map<string, number | null>()
  const names = new Map<RunningRequest, string>()
  const allCriteria: RequestCriteria[] = []
  const queue = createQueue({
    limits: { waitMs: options.waitMs ?? 1000, length: options.length ?? 100 },
    now: () => clock.atMs,
    take(running) {
      if (state.free === 0) return undefined
      state.free--
      given.push(names.get(running)!)
      return slot
    },
    waitsForSlot: () => state.waits,
    onPosition: (running, position) => void positions.set(names.get(running)!, position),
  })

  function join(name: string, groupId = 1, criteria: RequestCriteria = { waitsUntilMs: 0 } as RequestCriteria) {
    const running = {
      request: { key: { id: name.charCodeAt(0), groupId } },
      client: { hasLeft: false, onLeave: null },
    } as unknown as RunningRequest
    names.set(running, name)
    allCriteria.push(criteria)
    const answer = queue.join(running, criteria).then((found) => {
      served.push(found ? name : `${name} gave up`)
      return found
    })
    return { running, answer }
  }

  return { queue, join, slot, clock, state, served, given, positions, allCriteria }
}

test('keys take turns, and within a key who came first goes first', async () => {
  const { queue, join, state, given } = stand()
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) join(name)
  for (let round = 0; round < 6; round++) {
    state.free = 1
    queue.serve([1])
  }
  expect(given).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  expect(queue.waitingIn(1)).toBe(0)
})

test('several slots at once are given in the same order as one by one', () => {
  const { queue, join, state, given } = stand()
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) join(name)
  state.free = 4
  queue.serve([1])
  expect(given).toEqual(['a1', 'b1', 'c1', 'a2'])
  queue.cutOff()
})

test('groups that wait for the same account take turns; a group that does not use it is not served', async () => {
  const { queue, join, state, given } = stand()
  for (const name of ['a1', 'a2', 'a3']) join(name, 1)
  for (const name of ['b1', 'b2']) join(name, 2)
  join('c1', 3)
  state.free = 1
  queue.serve([1, 2])
  state.free = 9
  queue.serve([1, 2])
  expect(given).toEqual(['a1', 'b1', 'a2', 'b2', 'a3'])
  expect(queue.waitingIn(3)).toBe(1)
  queue.cutOff()
})

test('positions count as turns will be taken, and move up as slots are given', () => {
  const { queue, join, state, positions } = stand()
  for (const name of ['a1', 'a2', 'b1']) join(name)
  expect(Object.fromEntries(positions)).toEqual({ a1: 1, b1: 2, a2: 3 })
  state.free = 1
  queue.serve([1])
  expect(Object.fromEntries(positions)).toEqual({ a1: null, b1: 1, a2: 2 })
  queue.cutOff()
})

test('the line is bounded for each group, and who finds it full gives up at once', async () => {
  const { queue, join, served } = stand({ length: 2 })
  join('a1')
  join('b1')
  expect(await join('c1').answer).toBeUndefined()
  join('d1', 2)
  expect(served).toEqual(['c1 gave up'])
  expect([queue.waitingIn(1), queue.waitingIn(2)]).toEqual([2, 1])
  queue.cutOff()
})

test('a client that leaves frees its position, and the others move up', async () => {
  const { queue, join, positions } = stand({ length: 2 })
  const gone = join('a1')
  join('b1')
  gone.running.client.onLeave!()
  expect(await gone.answer).toBeUndefined()
  expect(positions.get('b1')).toBe(1)
  join('c1')
  expect(positions.get('c1')).toBe(2)
  expect(gone.running.client.onLeave).toBeNull()
  queue.cutOff()
})

test('who has waited as long as may be waited gives up, and a second time in line adds nothing to it', async () => {
  const { queue, join, clock, state, allCriteria, served } = stand({ waitMs: 1000 })
  const first = join('a1')
  join('b1', 2)
  clock.atMs += 999
  state.free = 1
  queue.serve([2])
  clock.atMs += 1
  // The clock of the line finds it.
  expect(await first.answer).toBeUndefined()
  expect(served).toEqual(['b1', 'a1 gave up'])
  expect(await join('a1', 1, allCriteria[0]).answer).toBeUndefined()
})

test('who can be served by nobody any more need not wait to the end', async () => {
  const { join, state, slot } = stand()
  const waiting = join('a1')
  state.waits = false
  expect(await waiting.answer).toBeUndefined()
  state.waits = true
  const other = join('b1')
  state.free = 1
  // Nothing says that a slot is free: the clock of the queue looks.
  expect(await other.answer).toBe(slot)
})
