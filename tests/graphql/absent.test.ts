import {
  type GraphQLObjectType,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { expect, test } from 'vitest'
import { buildSchema } from '../../server/graphql/schema.ts'
import { saidAs } from '../../server/jobs/run-words.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import { addRequest } from './ledger-row.ts'
import { startGraphqlStand } from './stand.ts'

const schema = buildSchema()

/** Every field of a type with what is in it, so many levels down; other objects with an id have lists of their own. */
function everything(type: GraphQLObjectType, levels: number): string {
  const fields = Object.values(type.getFields()).flatMap(({ name, type: of, args }) => {
    if (name === 'edges' || args.some(isRequiredArgument)) return []
    const inner = getNamedType(of)
    if (isLeafType(inner)) return [name]
    const isOther = isObjectType(inner) && name !== 'nodes' && inner.getInterfaces().length > 0
    if (isOther || isInterfaceType(inner)) return [`${name} { __typename ${'id' in inner.getFields() ? 'id' : ''} }`]
    return isObjectType(inner) && levels > 0 ? [`${name} { ${everything(inner, levels - 1)} }`] : []
  })
  return `__typename ${fields.join(' ')}`
}

/** Where an answer has '', 0 and null: `Type.field` each. */
function look(
  value: unknown,
  found = { empty: new Set<string>(), zero: new Set<string>(), absent: new Set<string>() },
) {
  if (Array.isArray(value)) for (const item of value) look(item, found)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      const place = `${(value as { __typename?: string }).__typename}.${name}`
      if (inner === '') found.empty.add(place)
      else if (inner === 0 || inner === '0') found.zero.add(place)
      else if (inner === null) found.absent.add(place)
      else look(inner, found)
    }
  }
  return found
}

const atMs = Date.UTC(2026, 10, 20, 12)
const iso = (ms: number) => new Date(ms).toISOString()

/** An object of each noun with nothing but what it must have. */
async function startBare() {
  const stand = await startGraphqlStand()
  const { token, id: userId } = await stand.addUser('ada', 'admin')
  const { client } = stand
  const { id: groupId } = await client.group.create({ data: { name: 'g' } })
  await client.apiKey.create({ data: { name: 'k', secretHmac: 'h', secretHint: 'sk-a…b', groupId, models: '["*"]' } })
  const { id: accountId } = await client.account.create({
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
  await addRequest(stand, atMs, { model_requested: 'm' }, { account_id: accountId })
  const id = firstKeyAt(atMs)
  const from = { userId: 0, clientIp: '', userAgent: '', requestId: '' }
  await client.apiLog.deleteMany({ where: { userId } })
  await client.apiLog.create({
    data: {
      id,
      atMs: BigInt(atMs),
      ...from,
      action: 'test',
      objectType: 'Setting',
      objectId: 0,
      before: '',
      after: '',
    },
  })
  const words = { errorType: '', code: '', message: '', requestId: '' }
  await client.accountEvent.create({
    data: {
      id,
      accountId,
      atMs: BigInt(atMs),
      fromKind: 'ready',
      toKind: 'ready',
      model: '',
      reason: 'r',
      cause: 'time',
      status: 0,
      ...words,
    },
  })
  await client.rejection.create({
    data: {
      hourMs: BigInt(atMs),
      apiKeyId: 0,
      secretHash: '',
      userId: 0,
      groupId: 0,
      reason: 'key_missing',
      requests: 1n,
      lastAtMs: BigInt(atMs),
      message: 'm',
    },
  })
  const run = {
    startedAtMs: atMs,
    durationMs: 5,
    outcome: 'done',
    status: 0,
    model: '',
    costNano: 0,
    job: 'probe',
  } as const
  await stand.runs.add({ ...run, accountId: 0, words: saidAs('') })
  await stand.runs.add({ ...run, accountId, words: saidAs('said') })
  stand.live.started({
    requestId: 'req_00000000000001',
    startedAtMs: atMs,
    apiKeyId: 1,
    apiKeyName: 'k',
    userId: 0,
    groupId,
    accountId: null,
    accountName: null,
    model: 'm',
    stream: false,
    attempt: 0,
    queuePosition: null,
    firstByteMs: null,
    inputTokens: 0,
    outputTokens: 0,
  })
  return { stand, token }
}

test('what is absent is null: no field says it with an empty text, and 0 is a number wherever it stands', async () => {
  const { stand, token } = await startBare()
  const range = `range: { from: "${iso(atMs - 60_000)}", to: "${iso(atMs + 60_000)}" }`
  const fields = (type: string, levels = 2) => everything(schema.getType(type) as GraphQLObjectType, levels)
  const queries = {
    ...Object.fromEntries(
      ['accounts', 'apiKeys', 'auditEntries', 'groups', 'rejections', 'requests', 'users'].map((name) => [
        name,
        `${name} { ${fields(String(getNamedType(schema.getQueryType()!.getFields()[name]!.type)), 3)} }`,
      ]),
    ),
    liveRequests: `liveRequests { ${fields('RunningRequests', 2)} }`,
    jobs: `jobs { ${fields('Job')} }`,
    others: `deployment { ${fields('Deployment')} } settings { ${fields('Settings')} } claudeAccounts { ${fields('ClaudeAccounts')} } costTotals { ${fields('CostTotals')} } viewer { ${fields('Viewer')} } accountPresets { ${fields('AccountPreset')} }`,
    sums: ['KEY', 'ACCOUNT', 'MODEL', 'USER', 'GROUP', 'PLATFORM', 'TAG']
      .map(
        (by) =>
          `r${by}: usage(${range}, groupBy: [${by}]) { rows { ${fields('UsageRow')} } } s${by}: usage(${range}, groupBy: [HOUR, ${by}]) { rows { ${fields('UsageRow')} } }`,
      )
      .join(' '),
  }
  const found = Object.fromEntries(
    await Promise.all(
      Object.entries(queries).map(async ([name, query]) => {
        const { data, errors } = await stand.ask(`{ ${query} }`, {}, { token })
        expect([name, errors]).toEqual([name, undefined])
        return [name, look(data)] as const
      }),
    ),
  )
  const all = (what: 'empty' | 'zero' | 'absent') => Object.values(found).flatMap((places) => [...places[what]])
  expect(all('empty')).toEqual([])
  const isCount = (place: string) => namesOf(counts).includes(place) || /^(Totals|Cost\w+|Tokens)\./.test(place)
  expect(all('zero').filter((place) => !isCount(place))).toEqual([])
  expect(all('absent')).toEqual(expect.arrayContaining(namesOf(absent)))
})

/** Numbers that begin at 0, besides sums: how many, how long, how much. A new field belongs here, or is null. */
const counts = {
  Account: 'inFlight',
  ApiKey: 'inFlight spentToday spentTotal',
  Attempt: 'cost durationMs',
  Group: 'inFlight',
  Probe: 'cost',
  RejectionSummary: 'requests',
  Request: 'attemptCount billed cost durationMs webSearches',
  Settings: 'resetHour',
}

/** What the rows have '', 0 or −1 for, or nothing at all. */
const absent = {
  Account: 'concurrencyLimit formatFlags lastError login owner plan successRate',
  AccountState: 'failure nextProbeAt reason since until',
  AccountStep: 'errorCode errorMessage errorType httpStatus model nextProbeAt request requestId until',
  ApiKey: 'concurrency expiresAt lastUsedAt owner previousSecretUntil validForDays',
  Attempt: 'errorCode errorType failure firstByteMs httpStatus modelSent upstreamRequestId',
  AuditEntry: 'after before clientIp object objectId requestId user',
  ClaudeAccounts: 'acknowledgedAt acknowledgedBy',
  Group: 'owner remark',
  Job: 'lastRun nextAt',
  JobRun: 'code message',
  Probe: 'code model status',
  Rejection: 'apiKey group secretHash user',
  Request:
    'account agentId apiKey clientIp cost costParts durationMs errorType firstByteMs group httpStatus modelBilled modelSent outcome platform priceCardId priceSource queuePosition sessionId stopReason usageRaw usageSource user userAgent',
  Tokens: 'cacheRead cacheWrite1h cacheWrite5m thinking',
  UsageRow: 'at key label',
  User: 'email',
}

const namesOf = (table: Record<string, string>): string[] =>
  Object.entries(table).flatMap(([type, fields]) => fields.split(' ').map((field) => `${type}.${field}`))
