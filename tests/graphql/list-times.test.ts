import { expect, test } from 'vitest'
import { said } from '../../server/jobs/run-words.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import { addRequest } from './ledger-row.ts'
import { startGraphqlStand } from './stand.ts'

const hour = 3_600_000
const first = Date.UTC(2026, 10, 20, 12)
/** The hours at which each list has a row. */
const hours = [0, 1, 2]

/** One row of each list in each of three hours. */
async function startWithRows() {
  const stand = await startGraphqlStand()
  const { id: userId, token } = await stand.addUser('ada', 'admin')
  const { id: groupId } = await stand.client.group.create({ data: { name: 'g' } })
  const { id: accountId } = await stand.client.account.create({
    data: {
      name: 'a',
      platform: 'console',
      url: 'https://a.test',
      authHeader: 'bearer',
      models: '["*"]',
      modelMapping: '{}',
      groups: { create: { groupId } },
    },
  })
  await stand.client.apiLog.deleteMany()
  for (const number of hours) {
    const atMs = first + number * hour
    const at = { id: firstKeyAt(atMs), atMs: BigInt(atMs) }
    await addRequest(stand, atMs, { cost_nano: number })
    await stand.client.apiLog.create({
      data: {
        ...at,
        userId,
        action: `${number}`,
        objectType: 'Setting',
        objectId: 0,
        before: '',
        after: '',
        clientIp: '',
        userAgent: '',
        requestId: '',
      },
    })
    const step = { accountId, model: '', untilMs: null, nextProbeAtMs: null, cause: 'time', status: 0, errorType: '' }
    await stand.client.accountEvent.create({
      data: {
        ...step,
        ...at,
        code: '',
        message: '',
        requestId: '',
        fromKind: 'ready',
        toKind: 'ready',
        reason: `${number}`,
      },
    })
    const run = {
      startedAtMs: atMs,
      durationMs: number,
      outcome: 'done',
      status: 0,
      words: said('answered'),
      costNano: 0,
    }
    await stand.runs.add({ ...run, job: 'probe', accountId, model: `${number}`, outcome: 'done' })
    await stand.runs.add({ ...run, job: 'probe', accountId: 0, model: '', outcome: 'done' })
    const rejection = { apiKeyId: 0, secretHash: '', userId: 0, groupId: 0, reason: 'key_missing', message: '' }
    await stand.client.rejection.create({
      data: { ...rejection, hourMs: at.atMs, requests: BigInt(number), lastAtMs: at.atMs },
    })
  }
  return { stand, token, account: Buffer.from(`Account:${accountId}`).toString('base64') }
}

/** Of each list: its query, and the number of a row. */
const lists = [
  ['requests', 'RequestFilter', '{ list: requests(filter: $filter) { nodes { cost } } }', 'cost'],
  ['auditEntries', 'AuditEntryFilter', '{ list: auditEntries(filter: $filter) { nodes { action } } }', 'action'],
  ['rejections', 'RejectionFilter', '{ list: rejections(filter: $filter) { nodes { requests } } }', 'requests'],
  [
    'timeline',
    'AccountStepFilter',
    '{ of: node(id: $id) { ... on Account { list: timeline(filter: $filter) { nodes { reason } } } } }',
    'reason',
  ],
  [
    'probes',
    'ProbeFilter',
    '{ of: node(id: $id) { ... on Account { list: probes(filter: $filter) { nodes { model } } } } }',
    'model',
  ],
  ['runs', 'JobRunFilter', '{ of: jobs { list: runs(filter: $filter) { nodes { durationMs } } } }', 'durationMs'],
] as const

test('a list of what happened at a time takes from and to: the begin is in it, the end is not', async () => {
  const { stand, token, account } = await startWithRows()
  const iso = (number: number) => new Date(first + number * hour).toISOString()
  for (const [name, type, query, field] of lists) {
    const ask = async (filter: object | null) => {
      const declared = query.includes('$id') ? `$filter: ${type}, $id: ID!` : `$filter: ${type}`
      const { data, errors } = await stand.ask(`query (${declared}) ${query}`, { filter, id: account }, { token })
      if (errors) return errors[0]
      const list = (Array.isArray(data.of) ? data.of[0] : (data.of ?? data)).list
      return list.nodes.map((node: Record<string, unknown>) => Number(node[field]))
    }
    expect([name, await ask(null)]).toEqual([name, [2, 1, 0]])
    expect([name, await ask({ from: iso(1) })]).toEqual([name, [2, 1]])
    expect([name, await ask({ to: iso(1) })]).toEqual([name, [0]])
    expect([name, await ask({ from: iso(1), to: iso(2) })]).toEqual([name, [1]])
    expect([name, await ask({ from: iso(3) })]).toEqual([name, []])
    for (const to of [iso(1), iso(0)])
      expect(await ask({ from: iso(1), to })).toMatchObject({
        message: '`to` must be after `from`.',
        extensions: { code: 'BAD_USER_INPUT' },
      })
    const bad = await ask({ from: 'yesterday' })
    expect(bad).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } })
    expect(bad.message).toContain('filter.from')
  }
})
