import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import type { RelayApp } from '../support/relay-app.ts'
import { askGraphql } from './graphql-asking.ts'
import { loseLogin, probeAccount, startProbed, still } from './probes-stand.ts'

let upstream: FakeUpstream
let relay: RelayApp
let admin: string

const hangs = new URL('../jobs/workers/hangs.js', import.meta.url)
const dies = new URL('../jobs/workers/dies.js', import.meta.url)

beforeAll(async () => {
  upstream = await createFakeUpstream()
  ;({ relay, admin } = await startProbed(upstream))
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

test('jobs are listed with what they did last and when they are due; an administrator can run one, and that is audited', async () => {
  const jobs = async () => {
    const query = '{ jobs { name nextAt everySeconds lastRun { outcome message code counts { name count } } } }'
    return (await askGraphql(relay.app.url, query, {}, admin)).data.jobs as { name: string; lastRun: object | null }[]
  }
  expect((await jobs()).map(({ name }) => name)).toEqual(expect.arrayContaining(['PROBE', 'RELEASE', 'PRUNE', 'DRIFT']))
  for (const name of ['DRIFT', 'PRUNE']) {
    const run = await askGraphql(
      relay.app.url,
      `mutation { runJob(input: { name: ${name} }) { __typename } }`,
      {},
      admin,
    )
    expect(run.data.runJob.__typename).toBe('RunJobSuccess')
    await expect
      .poll(async () => (await jobs()).find((job) => job.name === name)?.lastRun, { timeout: 10_000 })
      .not.toBeNull()
  }
  const last = Object.fromEntries((await jobs()).map(({ name, lastRun }) => [name, lastRun]))
  expect(last['DRIFT']).toEqual({
    outcome: 'DONE',
    message: 'ledger and rollups agree',
    code: 'SUMS_AGREE',
    counts: [],
  })
  expect(last['PRUNE']).toMatchObject({ outcome: 'DONE', code: 'PRUNED' })
  expect((last['PRUNE'] as unknown as { counts: object[] }).counts).toContainEqual({ name: 'tries', count: 0 })
  const { client } = relay.app.database
  expect(await client.apiLog.count({ where: { action: 'runJob' } })).toBe(2)
})

test.each([
  ['hangs', hangs],
  ['dies', dies],
])(
  'a worker that %s: requests go on, who waits is told, and the relay stops within five seconds',
  async (_name, probe) => {
    const own = await startProbed(upstream, { jobs: { ...still, patienceMs: 1000 }, probeWorker: probe })
    await loseLogin(upstream, own.relay)
    const asked = askGraphql(own.relay.app.url, probeAccount, { id: own.accountId }, own.admin)
    const code = probe === hangs ? 'TOOK_TOO_LONG' : null
    expect((await asked).data.probeAccount.probe).toMatchObject({ ok: false, status: null, code })
    const again = askGraphql(own.relay.app.url, probeAccount, { id: own.accountId }, own.admin).catch(() => null)
    const health = await fetch(`${own.relay.app.url}/health`)
    expect(health.status).toBe(200)
    const startedMs = performance.now()
    await own.relay.stop()
    expect(performance.now() - startedMs).toBeLessThan(5000)
    await again
  },
)
