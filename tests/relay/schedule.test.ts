import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import { defaultFormatFlags } from '../../server/accounts/format-flags.ts'
import { reduceState } from '../../server/accounts/state/reduce.ts'
import { type AccountState, readyState } from '../../server/accounts/state/state.ts'
import { createModelList, createModelMapping } from '../../server/model-patterns.ts'
import type { RouteCriteria } from '../../server/relay/routing/route-criteria.ts'
import { choose, drawOf, isDisplaced, soonestReturnMs, waitsForSlot } from '../../server/relay/routing/schedule.ts'

const nowMs = 1_000_000
const limitedFor = (ms: number): AccountState =>
  reduceState(readyState, { kind: 'rate_limited', untilMs: nowMs + ms, reason: 'test' }, nowMs, 0)

function account(
  id: number,
  more: Partial<Omit<Account, 'models'>> & { models?: string[]; state?: AccountState } = {},
): Account {
  const { models = ['*'], state = readyState, ...rest } = more
  return {
    id,
    name: `account ${id}`,
    platform: 'console',
    origin: 'https://upstream.test',
    basePath: '',
    authHeader: 'bearer',
    secret: 'secret',
    expiresAtMs: Number.POSITIVE_INFINITY,
    dueAtMs: Number.POSITIVE_INFINITY,
    staleAtMs: Number.POSITIVE_INFINITY,
    proxy: null,
    proxyIsTrusted: true,
    isApproved: true,
    groupIds: [1],
    ownerId: 0,
    priority: 100,
    weight: 100,
    concurrency: null,
    models: createModelList(models),
    mapping: createModelMapping({}),
    flags: defaultFormatFlags,
    timers: { connectMs: null, firstByteMs: null, idleMs: null },
    extraHeaders: [],
    maxUsedPpm: {},
    enabled: true,
    switchedOn: true,
    live: { state, inFlight: 0 },
    ...rest,
  }
}

const criteria = (more: Partial<RouteCriteria> = {}): RouteCriteria => ({
  model: 'm',
  nowMs,
  affinityId: undefined,
  draw: drawOf('conversation'),
  fits: () => true,
  tried: new Set(),
  returns: false,
  needsSlot: true,
  ...more,
})

/** Shares of 10 000 conversations. */
function shares(accounts: Account[], drawFor: (index: number) => RouteCriteria['draw']): Map<number, number> {
  const counts = new Map<number, number>()
  for (let index = 0; index < 10_000; index++) {
    const { id } = choose(accounts, criteria({ draw: drawFor(index) }))!
    counts.set(id, (counts.get(id) ?? 0) + 1 / 10_000)
  }
  return counts
}

const bySession = (index: number) => drawOf(`12|session-${index}|`)
const byUuid = (index: number) => drawOf(`3|${index.toString(16).padStart(8, '0')}-1111-4111-8111-111111111111|agent`)
/** Repeatable chance (a linear congruential generator). */
function chance(): () => number {
  let seed = 42
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 0x1_0000_0000
  }
}
const random = chance()

test.each([
  ['sessions', bySession],
  ['uuids', byUuid],
  ['chance', () => random],
] as const)('the weights hold over 10 000 draws within 3 %% (%s)', (_name, drawFor) => {
  const weighted = shares(
    [account(1, { weight: 100 }), account(2, { weight: 200 }), account(3, { weight: 700 })],
    drawFor,
  )
  for (const [id, share] of [
    [1, 0.1],
    [2, 0.2],
    [3, 0.7],
  ] as const) {
    expect(Math.abs(weighted.get(id)! - share)).toBeLessThan(0.03)
  }
  const even = shares(
    [11, 12, 13, 14, 15].map((id) => account(id)),
    drawFor,
  )
  for (const id of [11, 12, 13, 14, 15]) expect(Math.abs(even.get(id)! - 0.2)).toBeLessThan(0.03)
})

test('the smallest priority number goes first, whatever the weights and the order of the list', () => {
  const accounts = [
    account(1, { priority: 2, weight: 10_000 }),
    account(2, { priority: 1, weight: 1 }),
    account(3, { priority: 3 }),
  ]
  for (let index = 0; index < 100; index++) expect(choose(accounts, criteria({ draw: bySession(index) }))?.id).toBe(2)
  expect(choose(accounts, criteria({ tried: new Set([2]) }))?.id).toBe(1)
  expect(choose(accounts, criteria({ tried: new Set([1, 2]) }))?.id).toBe(3)
  expect(choose(accounts, criteria({ tried: new Set([1, 2, 3]) }))).toBeUndefined()
})

test('a conversation draws the same account in any order of the list, and moves only when its own account goes', () => {
  const accounts = [1, 2, 3, 4].map((id) => account(id))
  let moved = 0
  for (let index = 0; index < 1000; index++) {
    const draw = bySession(index)
    const chosen = choose(accounts, criteria({ draw }))!.id
    expect(choose(accounts.toReversed(), criteria({ draw }))!.id).toBe(chosen)
    const without4 = choose(accounts.slice(0, 3), criteria({ draw }))!.id
    if (chosen === 4) moved++
    else expect(without4).toBe(chosen)
  }
  expect(moved).toBeGreaterThan(150)
})

test('the account of the conversation is kept before priority, as long as it may serve', () => {
  const first = account(1, { priority: 1 })
  const sticky = account(2, { priority: 9 })
  expect(choose([first, sticky], criteria({ affinityId: 2 }))?.id).toBe(2)
  expect(choose([first, { ...sticky, enabled: false }], criteria({ affinityId: 2 }))?.id).toBe(1)
  expect(choose([first, account(2, { state: limitedFor(1000) })], criteria({ affinityId: 2 }))?.id).toBe(1)
  expect(choose([first, account(2, { models: ['other'] })], criteria({ affinityId: 2 }))?.id).toBe(1)
  expect(choose([first, sticky], criteria({ affinityId: 2, tried: new Set([2]) }))?.id).toBe(1)
  // Moved to another group, or deleted.
  expect(choose([first], criteria({ affinityId: 2 }))?.id).toBe(1)
  expect(
    choose([first, account(2, { state: limitedFor(1000) })], criteria({ affinityId: 2, nowMs: nowMs + 1000 }))?.id,
  ).toBe(2)
})

test('disabled, without weight, cooling down or not for the model: not chosen', () => {
  const out = [
    account(1, { enabled: false }),
    account(2, { weight: 0 }),
    account(3, { state: limitedFor(1) }),
    account(4, { models: ['claude-*'] }),
    account(5, { state: reduceState(readyState, { kind: 'login_needed', reason: 'r' }, nowMs, 0) }),
  ]
  expect(choose(out, criteria())).toBeUndefined()
  expect(choose(out, criteria({ model: 'claude-x' }))?.id).toBe(4)
})

test('the soonest return counts accounts that serve the model, and tells apart never and nobody', () => {
  const waits = (accounts: Account[]) => soonestReturnMs(accounts, { model: 'm', nowMs })
  expect(waits([account(1, { state: limitedFor(9000) }), account(2, { state: limitedFor(5000) })])).toBe(nowMs + 5000)
  expect(waits([account(1, { state: limitedFor(9000) }), account(2, { state: limitedFor(5000), models: ['x'] })])).toBe(
    nowMs + 9000,
  )
  const lost = account(1, { state: reduceState(readyState, { kind: 'login_needed', reason: 'r' }, nowMs, 0) })
  expect(waits([lost])).toBeNull()
  expect(waits([lost, account(2, { state: limitedFor(5000) })])).toBe(nowMs + 5000)
  expect(waits([account(1, { enabled: false })])).toBeUndefined()
  expect(waits([])).toBeUndefined()
})

const busy = (id: number, inFlight: number, more: Parameters<typeof account>[1] = {}) =>
  account(id, { ...more, live: { state: readyState, inFlight } })

test('new conversations pass by an account that is above its share of the load, whatever they draw', () => {
  for (let index = 0; index < 200; index++) {
    const draw = bySession(index)
    expect(choose([busy(1, 10), busy(2, 0)], criteria({ draw }))!.id).toBe(2)
    // Three quarters of the weight carry three quarters of the load: that is even.
    const third = choose([busy(1, 30, { weight: 300 }), busy(2, 10, { weight: 100 })], criteria({ draw }))!.id
    expect(third).toBe(choose([busy(1, 0, { weight: 300 }), busy(2, 0, { weight: 100 })], criteria({ draw }))!.id)
  }
  // Load of another priority number counts for nothing, and a conversation stays where it is.
  expect(choose([busy(1, 99, { priority: 1 }), busy(2, 0, { priority: 2 })], criteria())!.id).toBe(1)
  expect(choose([busy(1, 99), busy(2, 0)], criteria({ affinityId: 1 }))!.id).toBe(1)
})

test('some account is always chosen, however load and weights lie', () => {
  const random = chance()
  for (let round = 0; round < 2000; round++) {
    const accounts = Array.from({ length: 1 + Math.floor(random() * 6) }, (_, id) =>
      busy(id + 1, Math.floor(random() * 50), { weight: 1 + Math.floor(random() * 10_000) }),
    )
    expect(choose(accounts, criteria({ draw: drawOf(`s${round}`) }))).toBeDefined()
  }
})

test('sixty subagents of one session are spread, no account carries more than its share and a quarter', () => {
  const accounts = [1, 2, 3, 4].map((id) => busy(id, 0))
  for (let agent = 0; agent < 60; agent++)
    choose(accounts, criteria({ draw: drawOf(`1|session|agent-${agent}`) }))!.live.inFlight++
  const loads = accounts.map(({ live }) => live.inFlight)
  expect(loads.reduce((sum, load) => sum + load)).toBe(60)
  expect(Math.max(...loads)).toBeLessThanOrEqual(Math.ceil(15 * 1.25))
  expect(Math.min(...loads)).toBeGreaterThan(0)
})

test('a full account takes nobody who needs a place, not even its own conversations', () => {
  const full = busy(1, 2, { concurrency: 2, priority: 1 })
  const other = busy(2, 50, { priority: 9 })
  expect(choose([full, other], criteria({ affinityId: 1 }))!.id).toBe(2)
  expect(choose([full, other], criteria({ needsSlot: false }))!.id).toBe(1)
  expect(choose([busy(1, 1, { concurrency: 2, priority: 1 }), other], criteria())!.id).toBe(1)
  expect(choose([full], criteria())).toBeUndefined()
  expect(waitsForSlot([full, account(3, { enabled: false })], criteria())).toBe(true)
  expect(waitsForSlot([full], criteria({ tried: new Set([1]) }))).toBe(false)
  expect(waitsForSlot([full], criteria({ model: 'x', needsSlot: false }))).toBe(false)
  expect(waitsForSlot([account(4, { concurrency: 1, state: limitedFor(1000) })], criteria())).toBe(false)
})

test('a conversation returns to a smaller priority number when it may, and stays among equals', () => {
  const first = account(1, { priority: 1 })
  const second = account(2, { priority: 2 })
  const third = account(3, { priority: 2 })
  expect(choose([first, second], criteria({ affinityId: 2, returns: true }))!.id).toBe(1)
  expect(isDisplaced([first, second], criteria({ affinityId: 2 }))).toBe(true)
  expect(isDisplaced([first, second], criteria({ affinityId: 1 }))).toBe(false)
  expect(isDisplaced([account(1, { priority: 1, state: limitedFor(1000) }), second], criteria({ affinityId: 2 }))).toBe(
    false,
  )
  for (const affinityId of [2, 3]) {
    expect(choose([second, third], criteria({ affinityId, returns: true }))!.id).toBe(affinityId)
    expect(isDisplaced([second, third], criteria({ affinityId }))).toBe(false)
  }
})

const hourMs = 3_600_000
const gauged = (usedPpm: number | null, more: { resetMs?: number | null; atMs?: number } = {}) =>
  account(1, {
    priority: 1,
    maxUsedPpm: { '5h': 800_000 },
    live: {
      state: readyState,
      inFlight: 0,
      gauges: new Map([
        ['5h', { gauge: { window: '5h', status: 'allowed', usedPpm, resetMs: nowMs + hourMs, atMs: nowMs, ...more } }],
        ['7d', { gauge: { window: '7d', status: 'allowed', usedPpm: 990_000, resetMs: nowMs + hourMs, atMs: nowMs } }],
      ]),
    },
  })

test.each([
  ['a gauge below the bound', gauged(799_999), true],
  ['a gauge at the bound', gauged(800_000), false],
  ['a gauge above the whole limit', gauged(1_020_000), false],
  ['a gauge whose window is over', gauged(900_000, { resetMs: nowMs }), true],
  ['a gauge older than two hours', gauged(900_000, { atMs: nowMs - 2 * hourMs }), true],
  ['a gauge that is nearly two hours old', gauged(900_000, { atMs: nowMs - 2 * hourMs + 1 }), false],
  ['a gauge without an end', gauged(900_000, { resetMs: null }), false],
  ['a gauge without a share', gauged(null), true],
  ['no gauges', account(1, { priority: 1, maxUsedPpm: { '5h': 800_000 } }), true],
  ['another window', { ...gauged(100_000), maxUsedPpm: { '30d': 10_000 } }, true],
])('with %s an account of maxUtilization takes a new session: %s', (_name, one, takes) => {
  const other = account(2, { priority: 2 })
  expect(choose([one, other], criteria())?.id).toBe(takes ? 1 : 2)
  // Its own sessions go on, whatever the gauge says.
  expect(choose([one, other], criteria({ affinityId: 1 }))?.id).toBe(1)
  // Nobody else is there: it stays away all the same, until its gauge says nothing any more.
  expect(choose([one], criteria())?.id).toBe(takes ? 1 : undefined)
  const returns = soonestReturnMs([one], { model: 'm', nowMs })!
  expect(returns > nowMs).toBe(!takes)
})
