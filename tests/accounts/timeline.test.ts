import { expect, test } from 'vitest'
import { createAccounts } from '../../server/accounts/accounts.ts'
import { accountReported } from '../../server/accounts/state/reports.ts'
import type { Cause } from '../../server/accounts/state/transitions.ts'
import { createRequestIds } from '../../server/request-ids.ts'
import type { Write } from '../../server/store/database.ts'
import { openNouns } from '../support/nouns.ts'

const byRequest: Cause = {
  by: 'request',
  requestId: 'req_1',
  evidence: { status: 429, errorType: 'rate_limit_error', code: 'ramp_limit_exceeded', message: '' },
}
const policy = { failures: 1, windowMs: 60_000, firstCooldownMs: 10_000, maxCooldownMs: 300_000, halfOpenMs: 120_000 }

async function openPool() {
  const nouns = await openNouns()
  const { write, database, events, seal } = nouns
  const clock = { atMs: Date.now() }
  let slot = 10
  /** The pool of one process; several share database and events. */
  const pool = async (
    options: Partial<Pick<Parameters<typeof createAccounts>[0], 'database' | 'onError' | 'firstProbeMs'>> = {},
  ) => {
    const now = () => clock.atMs
    const newId = createRequestIds(slot++, now)
    const pooled = createAccounts({ database, events, seal, now, chance: () => 0, newId, policy, ...options })
    await events.subscribe(accountReported, pooled.applyReported)
    await pooled.load()
    return pooled
  }
  const groupId = await write((tx) => nouns.accounts.ensureGroup(tx, 'g'))
  const id = await write((tx) =>
    nouns.accounts.save(tx, { name: 'one', url: 'https://a.example', secret: 's', groupIds: [groupId] }),
  )
  return { ...nouns, clock, pool, id }
}

const kindsOf = (steps: { step: { from: string; to: string; model: string } }[]) =>
  steps.map(({ step }) => `${step.model || 'all'}: ${step.from} → ${step.to}`)

test('every change is a step with its cause, in order; what is only counted is none', async () => {
  const { pool, id, clock } = await openPool()
  const accounts = await pool()
  const account = accounts.byId(id)!
  accounts.report(account, { kind: 'answered' }, byRequest)
  accounts.report(account, { kind: 'rate_limited', untilMs: clock.atMs + 5000, reason: 'r', model: 'opus' }, byRequest)
  accounts.report(account, { kind: 'failed', reason: 'ECONNREFUSED' }, { ...byRequest, evidence: null })
  clock.atMs += 10_000
  accounts.report(account, { kind: 'half_open_request' }, byRequest)
  accounts.report(account, { kind: 'answered' }, byRequest)
  accounts.probeAt(account, clock.atMs + 1)
  await accounts.stored()
  const steps = await accounts.timeline(id, 10)
  expect(kindsOf(steps)).toEqual([
    'opus: rate_limited → ready',
    'all: recovering → ready',
    'all: cooling_down → recovering',
    'all: ready → cooling_down',
    'opus: ready → rate_limited',
  ])
  expect(steps[4]!.step).toEqual({
    atMs: clock.atMs - 10_000,
    from: 'ready',
    to: 'rate_limited',
    model: 'opus',
    untilMs: clock.atMs - 5000,
    nextProbeAtMs: null,
    reason: 'r',
    cause: byRequest,
  })
  expect(steps[0]!.step.cause.by).toBe('time')
  expect(steps[3]!.step.cause.evidence).toBeNull()
  expect(kindsOf(await accounts.timeline(id, 2, steps[1]!.id))).toEqual(kindsOf(steps.slice(2, 4)))
})

test('a rest that is to be probed says when from its first step on, in every process, and no return does', async () => {
  const { pool, id, clock } = await openPool()
  const other = await pool()
  const accounts = await pool({ firstProbeMs: (_account, model) => (model === 'haiku' ? null : clock.atMs + 30_000) })
  const account = accounts.byId(id)!
  const probeAtMs = clock.atMs + 30_000
  const limited = { kind: 'rate_limited', untilMs: clock.atMs + 90_000, reason: 'r' } as const
  accounts.report(account, { ...limited, model: 'opus' }, byRequest)
  accounts.report(account, { ...limited, model: 'haiku' }, byRequest)
  accounts.report(account, limited, byRequest)
  clock.atMs += 1000
  accounts.report(account, { ...limited, untilMs: clock.atMs + 120_000 }, byRequest)
  await accounts.stored()
  const planned = (await accounts.timeline(id, 10)).map(({ step }) => [step.model, step.nextProbeAtMs])
  // A longer rest leaves the plan as it was.
  expect(planned).toEqual([
    ['', probeAtMs],
    ['', probeAtMs],
    ['haiku', null],
    ['opus', probeAtMs],
  ])
  for (const { live } of [account, other.byId(id)!]) {
    expect(live.state.nextProbeAtMs).toBe(probeAtMs)
    expect(live.state.models['opus']?.nextProbeAtMs).toBe(probeAtMs)
  }
  accounts.report(account, { kind: 'recovered', startedMs: clock.atMs }, { ...byRequest, by: 'probe' })
  accounts.report(account, { kind: 'recovered', startedMs: clock.atMs, model: 'opus' }, { ...byRequest, by: 'probe' })
  await accounts.stored()
  expect((await accounts.timeline(id, 2)).map(({ step }) => [step.to, step.nextProbeAtMs])).toEqual([
    ['ready', null],
    ['ready', null],
  ])
})

test('a rest whose time has come is told when somebody looks at the clock', async () => {
  const { pool, id, clock } = await openPool()
  const accounts = await pool()
  accounts.report(accounts.byId(id)!, { kind: 'rate_limited', untilMs: clock.atMs + 5000, reason: 'r' }, byRequest)
  accounts.releaseDue()
  expect(accounts.byId(id)!.live.state.kind).toBe('rate_limited')
  clock.atMs += 5000
  accounts.releaseDue()
  expect(accounts.byId(id)!.live.state.kind).toBe('ready')
  await accounts.stored()
  expect((await accounts.timeline(id, 1))[0]!.step).toMatchObject({ to: 'ready', cause: { by: 'time' } })
})

test('while the database is away the steps wait, in order, and the last state is what is stored', async () => {
  const { pool, id, clock, database, client } = await openPool()
  let isAway = true
  const batches: number[] = []
  const flaky = {
    ...database,
    batch(writes: readonly Write[]) {
      batches.push(writes.length)
      return isAway ? Promise.reject(new Error('gone')) : database.batch(writes)
    },
  }
  const errors: unknown[] = []
  const accounts = await pool({ database: flaky, onError: (error) => errors.push(error) })
  const account = accounts.byId(id)!
  for (let step = 1; step <= 3; step++) {
    accounts.report(account, { kind: 'rate_limited', untilMs: clock.atMs + step * 1000, reason: `${step}` }, byRequest)
  }
  await expect(accounts.stored()).rejects.toThrow('does not take')
  expect(errors.length).toBeGreaterThan(0)
  isAway = false
  await accounts.stored()
  expect((await accounts.timeline(id, 10)).map(({ step }) => step.reason)).toEqual(['3', '2', '1'])
  const row = await client.account.findUniqueOrThrow({ where: { id } })
  expect(JSON.parse(row.state)).toMatchObject({ kind: 'rate_limited', reason: '3' })
})

test('a step whose acknowledgement was lost is not written twice, and one that is refused does not hold up the rest', async () => {
  const { pool, id, clock, database } = await openPool()
  let deaf = true
  const flaky = {
    ...database,
    async batch(writes: readonly Write[]) {
      const done = await database.batch(writes)
      if (deaf) throw new Error('connection lost')
      return done
    },
  }
  const errors: string[] = []
  const accounts = await pool({ database: flaky, onError: (error) => errors.push(String(error)) })
  const account = accounts.byId(id)!
  accounts.report(account, { kind: 'rate_limited', untilMs: clock.atMs + 1000, reason: 'a' }, byRequest)
  await expect(accounts.stored()).rejects.toThrow()
  deaf = false
  accounts.report(
    account,
    { kind: 'rate_limited', untilMs: clock.atMs + 2000, reason: 'b' },
    { ...byRequest, by: null as unknown as 'time' },
  )
  accounts.report(account, { kind: 'rate_limited', untilMs: clock.atMs + 3000, reason: 'c' }, byRequest)
  await accounts.stored()
  expect((await accounts.timeline(id, 10)).map(({ step }) => step.reason)).toEqual(['c', 'a'])
  expect(errors.some((text) => /null/i.test(text))).toBe(true)
})

test('what one process finds out, the others know, and only one of them writes it', async () => {
  const { pool, id, clock } = await openPool()
  const [here, there] = [await pool(), await pool()]
  const heard = () => new Promise((resolve) => setImmediate(resolve))
  here.report(here.byId(id)!, { kind: 'rate_limited', untilMs: clock.atMs + 9000, reason: 'r' }, byRequest)
  here.report(here.byId(id)!, { kind: 'rate_limited', untilMs: clock.atMs + 5000, reason: 's', model: 'm' }, byRequest)
  await heard()
  expect(there.byId(id)!.live.state).toEqual(here.byId(id)!.live.state)
  there.cleared(id, { by: 'person', requestId: '', evidence: null })
  await heard()
  expect(here.byId(id)!.live.state.kind).toBe('ready')
  expect(here.byId(id)!.live.state.models).toEqual({})
  await Promise.all([here.stored(), there.stored()])
  expect(await here.timeline(id, 10)).toHaveLength(2)
})

test('a process that heard nothing for a while believes a newer row, and not an older one', async () => {
  const { pool, id, clock, client } = await openPool()
  const accounts = await pool()
  const account = accounts.byId(id)!
  accounts.report(account, { kind: 'login_needed', reason: 'r' }, byRequest)
  const known = account.live.state
  await accounts.stored()
  const row = (sinceMs: number) => JSON.stringify({ kind: 'ready', sinceMs })
  await client.account.update({ where: { id }, data: { state: row(clock.atMs - 1) } })
  await accounts.load()
  expect(accounts.byId(id)!.live.state).toBe(known)
  await client.account.update({ where: { id }, data: { state: row(clock.atMs + 1) } })
  await accounts.load()
  expect(accounts.byId(id)!.live.state.kind).toBe('ready')
})

test('clearing lifts the rests of models too, with rows in the same transaction', async () => {
  const { pool, id, clock, write, client } = await openPool()
  const accounts = await pool()
  const account = accounts.byId(id)!
  accounts.report(account, { kind: 'login_needed', reason: 'r' }, byRequest)
  accounts.report(account, { kind: 'rate_limited', untilMs: clock.atMs + 5000, reason: 's', model: 'm' }, byRequest)
  await accounts.stored()
  const cause: Cause = { by: 'person', requestId: 'req_2', evidence: null }
  await expect(
    write(async (tx) => {
      await accounts.clearState(tx, id, cause)
      throw new Error('the audit failed')
    }),
  ).rejects.toThrow('the audit failed')
  expect(await accounts.timeline(id, 10)).toHaveLength(2)
  await write((tx) => accounts.clearState(tx, id, cause))
  accounts.cleared(id, cause)
  await accounts.stored()
  const steps = await accounts.timeline(id, 10)
  expect(kindsOf(steps).slice(0, 2).sort()).toEqual(['all: reauth_required → ready', 'm: rate_limited → ready'])
  expect(steps).toHaveLength(4)
  expect(steps[0]!.step.cause).toEqual(cause)
  const row = await client.account.findUniqueOrThrow({ where: { id } })
  expect(JSON.parse(row.state)).toMatchObject({ kind: 'ready', models: {} })
})

test('old steps are pruned, some at a time', async () => {
  const { pool, id, clock } = await openPool()
  const accounts = await pool()
  for (let step = 0; step < 5; step++) {
    accounts.report(
      accounts.byId(id)!,
      { kind: 'rate_limited', untilMs: clock.atMs + 1e6, reason: `${step}` },
      byRequest,
    )
    clock.atMs += 1000
  }
  await accounts.stored()
  const beforeMs = clock.atMs - 2000
  expect(await accounts.pruneTimeline(beforeMs, 2)).toBe(2)
  expect(await accounts.pruneTimeline(beforeMs, 2)).toBe(1)
  expect(await accounts.pruneTimeline(beforeMs, 2)).toBe(0)
  expect((await accounts.timeline(id, 10)).map(({ step }) => step.reason)).toEqual(['4', '3'])
})

test('a state with many models cooling down with long names fits its column', async () => {
  const { pool, id, clock, client } = await openPool()
  const accounts = await pool()
  for (let model = 0; model < 80; model++) {
    const event = { kind: 'rate_limited', untilMs: clock.atMs + 1000 + model, reason: 'r'.repeat(60) } as const
    accounts.report(accounts.byId(id)!, { ...event, model: `${model}-${'x'.repeat(150)}` }, byRequest)
  }
  expect(Object.keys(accounts.byId(id)!.live.state.models)).toHaveLength(50)
  await accounts.stored()
  const { state } = await client.account.findUniqueOrThrow({ where: { id } })
  expect(state.length).toBeLessThanOrEqual(2000)
  expect(Object.keys(JSON.parse(state).models)[0]).toMatch(/^79-/)
})
