import { encodeGlobalID } from '@pothos/plugin-relay'
import { expect, test } from 'vitest'
import { rollupWrites } from '../../server/ledger/rollups.ts'
import { attemptRows, logRow } from '../../server/ledger/rows.ts'
import { firstKeyAt, requestIdOf } from '../../server/request-ids.ts'
import type { Scalar } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { attemptWith, entryWith } from '../ledger/ledger-entries.ts'
import { failureFields, startGraphqlStand } from './stand.ts'

async function startPool() {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  await stand.provision({
    groups: [{ name: 'g' }],
    accounts: [{ name: 'a', url: 'https://api.example.com', secret: 'sk-upstream-0123456789', groups: ['g'] }],
    keys: [{ name: 'k', secret: 'sk-first-0123456789abcd', group: 'g', dailyLimitUsd: '1' }],
  })
  const run = async (mutation: string, input: object) => {
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`
    const success = {
      updateAccount: 'account { url weight models modelMapping { from to } hasProxy }',
      updateApiKey: 'apiKey { name dailyLimit totalLimit expiresAt models enabled }',
      rotateApiKey: 'secret apiKey { previousSecretUntil dailyLimit }',
    }[mutation]
    const known = stand.graphql.schema.getType(`${type.replace(/Input$/, '')}Result`)!.toString()
    const failures =
      known &&
      failureFields
        .split('\n')
        .filter((line) =>
          mutation.startsWith('update') || mutation.startsWith('rotate') ? !line.includes('Conflict') : true,
        )
        .join('\n')
    const { data, errors } = await stand.ask(
      `mutation ($input: ${type}!) { ${mutation}(input: $input) { ... on ${type.replace(/Input$/, '')}Success { ${success} } ${failures} } }`,
      { input },
      ada,
    )
    expect(errors).toBeUndefined()
    return data[mutation]
  }
  const { data } = await stand.ask('{ accounts { edges { node { id } } } apiKeys { edges { node { id } } } }', {}, ada)
  return { stand, ada, run, accountId: data.accounts.edges[0].node.id, keyId: data.apiKeys.edges[0].node.id }
}

test('every field of a key can be changed, and cleared where it may be empty; wrong ones are named', async () => {
  const { run, keyId: id } = await startPool()
  const expiresAt = '2030-01-02T03:04:05.000Z'
  expect(
    await run('updateApiKey', { id, name: 'n', totalLimit: '7', expiresAt, models: ['m*'], enabled: false }),
  ).toEqual({
    apiKey: { name: 'n', dailyLimit: '1000000000', totalLimit: '7', expiresAt, models: ['m*'], enabled: false },
  })
  const cleared = await run('updateApiKey', { id, dailyLimit: null, totalLimit: null, expiresAt: null })
  expect(cleared.apiKey).toMatchObject({ dailyLimit: null, totalLimit: null, expiresAt: null, models: ['m*'] })
  const wrong = await run('updateApiKey', { id, name: ' x', models: [], dailyLimit: '9000000000000001', enabled: null })
  expect(wrong.fields.map(({ path }: { path: string }) => path)).toEqual(['name', 'models', 'dailyLimit', 'enabled'])
})

test('a rotated key keeps its limits; the old secret works for the hours given, and no key ever gets it again', async () => {
  const { stand, ada, run, keyId: id } = await startPool()
  const rotated = await run('rotateApiKey', { id, keepOldHours: 2 })
  expect(rotated).toMatchObject({
    secret: expect.stringMatching(/^sk-[\w-]{43}$/),
    apiKey: { dailyLimit: '1000000000' },
  })
  expect(stand.keys.find(rotated.secret)?.name).toBe('k')
  expect(stand.keys.find('sk-first-0123456789abcd')?.name).toBe('k')
  await stand.client.apiKey.updateMany({ data: { previousUntil: new Date(Date.now() - 1) } })
  await stand.keys.load()
  expect(stand.keys.find('sk-first-0123456789abcd')).toBeUndefined()
  const taken = await run('rotateApiKey', { id, keepOldHours: 0, secret: 'sk-first-0123456789abcd' })
  expect(taken.fields).toEqual([{ path: 'secret', message: 'cannot be used; choose another' }])
  expect((await run('rotateApiKey', { id, keepOldHours: 25 })).fields[0].path).toBe('keepOldHours')
  await stand.ask(`mutation { deleteApiKey(input: { id: "${id}" }) { __typename } }`, {}, ada)
  expect(stand.keys.find(rotated.secret)).toBeUndefined()
})

test('a proxy of an http:// address reads the secret: another one asks for it again', async () => {
  const { run, accountId: id } = await startPool()
  const upstreamApiKey = 'sk-upstream-b'
  const proxy = 'http://mine.example:8080'
  await run('updateAccount', { id, url: 'http://b.example', upstreamApiKey })
  const refused = await run('updateAccount', { id, proxy })
  const message = 'must be given again, since a proxy of an http:// address reads it'
  expect(refused.fields).toEqual([{ path: 'upstreamApiKey', message }])
  expect((await run('updateAccount', { id, proxy, upstreamApiKey })).account.hasProxy).toBe(true)
  // The one it has, the deployment's own choice, and one that sees nothing but TLS.
  expect((await run('updateAccount', { id, proxy, weight: 5 })).account.weight).toBe(5)
  expect((await run('updateAccount', { id, proxy: 'none' })).account.hasProxy).toBe(false)
  expect((await run('updateAccount', { id, proxy: null })).account.hasProxy).toBe(false)
  expect((await run('updateAccount', { id, proxy })).fields).toHaveLength(1)
  await run('updateAccount', { id, url: 'https://b.example', upstreamApiKey })
  expect((await run('updateAccount', { id, proxy })).account.hasProxy).toBe(true)
})

test('another URL asks for the secret again; a proxy is cleared by null', async () => {
  const { stand, run, accountId: id } = await startPool()
  const refused = await run('updateAccount', { id, url: 'https://evil.example' })
  expect(refused.fields).toEqual([{ path: 'upstreamApiKey', message: 'must be given again, since the URL changed' }])
  // The same address written another way is no other address.
  expect((await run('updateAccount', { id, url: 'https://api.example.com/v1/', weight: 5 })).account.weight).toBe(5)
  const mapping = [{ from: 'opus*', to: 'big' }]
  const proxy = 'socks5://u:p@127.0.0.1:1080'
  const moved = await run('updateAccount', {
    id,
    url: 'https://b.example',
    upstreamApiKey: 'sk-upstream-b',
    proxy,
    modelMapping: mapping,
  })
  expect(moved.account).toMatchObject({ url: 'https://b.example', hasProxy: true, modelMapping: mapping })
  expect((await run('updateAccount', { id, proxy: null })).account.hasProxy).toBe(false)
  expect(stand.accounts.ofGroup(1)[0]).toMatchObject({ secret: 'sk-upstream-b', proxy: null })
  expect((await run('updateAccount', { id, url: 'ftp://x', proxy: 'x', weight: 0 })).fields).toHaveLength(3)
})

test('a group with something in it is not deleted, and the conflict says what; a name is given once', async () => {
  const { stand, ada, accountId, keyId } = await startPool()
  const { data } = await stand.ask('{ groups { edges { node { id } } } }', {}, ada)
  const remove = async () =>
    (
      await stand.ask(
        `mutation { deleteGroup(input: { id: "${data.groups.edges[0].node.id}" }) { __typename ... on ConflictFailure { message } } }`,
        {},
        ada,
      )
    ).data.deleteGroup
  expect((await remove()).message).toMatch(/API keys: 1/)
  await stand.ask(`mutation { deleteApiKey(input: { id: "${keyId}" }) { __typename } }`, {}, ada)
  expect((await remove()).message).toMatch(/accounts: 1/)
  await stand.ask(`mutation { deleteAccount(input: { id: "${accountId}" }) { __typename } }`, {}, ada)
  expect(await stand.client.accountCredential.count()).toBe(0)
  expect((await remove()).__typename).toBe('DeleteGroupSuccess')
  const make =
    'mutation { createGroup(input: { name: "h" }) { __typename ... on InputFailure { fields { path message } } } }'
  await stand.ask(make, {}, ada)
  expect((await stand.ask(make, {}, ada)).data.createGroup.fields).toEqual([{ path: 'name', message: 'is taken' }])
})

test('requests page by key, newest first, with filters; people see their own', async () => {
  const { stand, ada } = await startPool()
  const bob = await stand.addUser('bob', 'user')
  const atMs = Date.UTC(2026, 10, 20, 12)
  const model = stand.graphql.schema && (await import('../../server/ledger/rows.ts')).logColumns
  const rows = Array.from({ length: 7 }, (_, i) =>
    model.map((name): Scalar => {
      if (name === 'id') return String(firstKeyAt(atMs + i * 1000))
      if (name === 'started_at_ms') return atMs + i * 1000
      if (name === 'user_id') return i === 3 ? bob.id : 0
      if (name === 'cost_nano') return i * 100
      if (name === 'outcome') return i % 2 ? 'failed' : 'completed'
      if (name === 'usage_source') return 'final'
      if (name === 'api_key_id') return 1
      if (name === 'account_id') return (i % 3) + 1
      if (name === 'group_id') return i < 2 ? 1 : 2
      if (name === 'model_requested') return i === 4 ? 'asked' : 'other'
      if (name === 'model_billed') return i === 5 ? 'asked' : 'other'
      if (name === 'stream') return i % 2
      if (name === 'session_id') return i % 4 === 0 ? 's' : ''
      if (name === 'client_ip') return i === 4 ? '10.0.0.1' : '10.0.0.2'
      if (name === 'platform') return i === 6 ? 'claude' : 'console'
      if (name === 'http_status') return 200 + i
      return /platform|model|type|reason|raw|flags|card|source|modifiers|session|agent|ip/.test(name) ? '' : 0
    }),
  )
  await stand.database.batch([{ kind: 'insert', table: 'logs', columns: model, rows }])
  const page = async (filter: object, first: number, after: string | null, as: { token: string } = ada) => {
    const { data, errors } = await stand.ask(
      'query ($f: RequestFilter, $n: Int, $a: String) { requests(filter: $f, first: $n, after: $a) { nodes { cost apiKey { name } outcome } pageInfo { hasNextPage endCursor } } }',
      { f: filter, n: first, a: after },
      as,
    )
    expect(errors).toBeUndefined()
    return {
      costs: data.requests.nodes.map(({ cost }: { cost: string }) => Number(cost)),
      ...data.requests.pageInfo,
    }
  }
  const first = await page({}, 3, null)
  expect(first).toMatchObject({ costs: [600, 500, 400], hasNextPage: true })
  expect(await page({}, 10, first.endCursor)).toMatchObject({ costs: [300, 200, 100, 0], hasNextPage: false })
  expect((await page({ minCost: '200', maxCost: '400', outcomes: ['COMPLETED'] }, 10, null)).costs).toEqual([400, 200])
  const from = new Date(atMs + 5000).toISOString()
  expect((await page({ from }, 10, null)).costs).toEqual([600, 500])
  expect((await page({ to: from }, 2, null)).costs).toEqual([400, 300])
  expect((await page({ requestId: requestIdOf(firstKeyAt(atMs)) }, 2, null)).costs).toEqual([0])
  const costsOf = async (filter: object) => (await page(filter, 10, null)).costs
  expect(await costsOf({ accountIds: [encodeGlobalID('Account', 1)] })).toEqual([600, 300, 0])
  expect(await costsOf({ groupIds: [encodeGlobalID('Group', 1)] })).toEqual([100, 0])
  expect(await costsOf({ apiKeyIds: [encodeGlobalID('ApiKey', 2)] })).toEqual([])
  expect(await costsOf({ models: ['asked'] })).toEqual([500, 400])
  expect(await costsOf({ accountIds: [1, 2].map((id) => encodeGlobalID('Account', id)) })).toEqual([
    600, 400, 300, 100, 0,
  ])
  expect(await costsOf({ sessionId: 's', clientIp: '10.0.0.1' })).toEqual([400])
  expect(await costsOf({ platforms: ['CLAUDE'] })).toEqual([600])
  expect(await costsOf({ apiKeyIds: [] })).toEqual([])
  expect(await costsOf({ stream: true })).toEqual([500, 300, 100])
  expect(await costsOf({ httpStatuses: [202, 299] })).toEqual([200])
  expect(await costsOf({ ownerIds: [bob.globalId] })).toEqual([300])
  expect((await page({}, 10, null, bob)).costs).toEqual([300])
  expect((await page({ ownerIds: [ada.globalId] }, 10, null, bob)).costs).toEqual([])
})

test('totals, series and ranking are the sums of the rollups in the range', async () => {
  const { stand, ada } = await startPool()
  const day = Date.UTC(2026, 10, 20)
  const hours = [0, 5, 23].map((hour, index) =>
    entryWith(100 + index, {
      id: String(index + 1),
      startedAtMs: day + hour * 3_600_000,
      apiKeyId: 1,
      attempts: [attemptWith({ costNano: 100 + index, model: index ? 'b' : 'a', tokens: { input: 10 } })],
    }),
  )
  await stand.database.batch(
    rollupWrites(
      hours.map((entry) => ({ log: logRow(entry), attempts: attemptRows(entry) })),
      createZoneDays('UTC'),
    ),
  )
  const range = (fromHour: number, toHour: number) =>
    `range: { from: "${new Date(day + fromHour * 3_600_000).toISOString()}", to: "${new Date(day + toHour * 3_600_000).toISOString()}" }`
  const { data, errors } = await stand.ask(
    `{ morning: usage(${range(0, 6)}) { totals { cost requests tokens } before { requests } growth { cost } }
       a: usage(${range(0, 24)}, where: { models: ["a"] }) { totals { cost } }
       hours: usage(${range(0, 6)}, groupBy: [HOUR]) { rows { at totals { cost } } }
       days: usage(${range(-24, 48)}, groupBy: [DAY]) { rows { totals { cost } } }
       week: usage(${range(-24, 48)}, groupBy: [WEEK]) { rows { at totals { cost } } }
       models: usage(${range(0, 24)}, groupBy: [MODEL], first: 1) { rows { key label totals { cost } } others { cost } }
       keys: usage(${range(0, 24)}, groupBy: [KEY]) { rows { label } } }`,
    {},
    ada,
  )
  expect(errors).toBeUndefined()
  const costs = (usage: { rows: { totals: { cost: string } }[] }) => usage.rows.map(({ totals }) => totals.cost)
  expect(data.morning).toEqual({
    totals: { cost: '201', requests: 2, tokens: 20 },
    before: { requests: 0 },
    growth: { cost: null },
  })
  expect(data.a.totals.cost).toBe('100')
  expect(costs(data.hours)).toEqual(['100', '0', '0', '0', '0', '101'])
  expect(costs(data.days)).toEqual(['0', '303', '0'])
  expect(data.week.rows).toEqual([{ at: '2026-11-16T00:00:00.000Z', totals: { cost: '303' } }])
  expect(data.models.rows).toEqual([{ key: 'b', label: 'b', totals: { cost: '203' } }])
  expect(data.models.others).toEqual({ cost: '100' })
  expect(data.keys.rows).toEqual([{ label: 'k' }])
})
