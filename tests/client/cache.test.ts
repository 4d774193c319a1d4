import { readdirSync, readFileSync } from 'node:fs'
import { Client, type Exchange, makeResult, type Operation, type OperationResult } from '@urql/core'
import {
  buildSchema,
  type DocumentNode,
  getNamedType,
  isInterfaceType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { expect, test } from 'vitest'
import { filter, makeSubject, map, merge, pipe, share, subscribe } from 'wonka'
import { createCache, objectsWithoutId, otherKeys, possibleTypes } from '../../client/data/cache.ts'
import { accountEvents } from '../../client/graphql/account-operations.ts'
import { keysQuery } from '../../client/graphql/key-operations.ts'
import { inFlightEvents, keySpending } from '../../client/graphql/live-operations.ts'
import { startQuery } from '../../client/graphql/start-operations.ts'
import { createMockData } from './mock-data.ts'

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))
const folder = new URL('../../client/graphql/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('-operations.ts'))
const modules = await Promise.all(files.map((name) => import(new URL(name, folder).href) as Promise<object>))
const documents = modules.flatMap((exports) => Object.values(exports) as DocumentNode[])

test('every object that an operation selects has its key, or is known to have none', () => {
  const missing = new Set<string>()
  for (const document of documents) {
    const info = new TypeInfo(schema)
    visit(
      document,
      visitWithTypeInfo(info, {
        Field: ({ selectionSet }) => {
          const type = getNamedType(info.getType())
          if (!selectionSet || !isObjectType(type)) return
          // Roots, connections and payloads are no objects of their own.
          if (/(Connection|Edge|PageInfo|Success|Event)$/.test(type.name)) return
          if (objectsWithoutId.includes(type.name)) return
          const key = otherKeys[type.name] ?? 'id'
          if (type.getFields()[key] === undefined) missing.add(`${type.name} has no ${key}`)
        },
      }),
    )
  }
  expect([...missing]).toEqual([])
})

test('the types behind each interface are those of the schema', () => {
  const interfaces = Object.values(schema.getTypeMap()).filter(isInterfaceType)
  const types = interfaces.map((one) => [
    one.name,
    schema
      .getPossibleTypes(one)
      .map(({ name }) => name)
      .sort(),
  ])
  expect(possibleTypes).toEqual(Object.fromEntries(types))
})

/** A client whose server responds with canned data, by default with keys, and whose live events are pushed by the test. */
function openClient(data: object = cannedKeys()) {
  const pushed = makeSubject<OperationResult>()
  const subscriptions: Operation[] = []
  const server: Exchange = () => (operations) => {
    const shared = pipe(operations, share)
    const responses = pipe(
      shared,
      filter(({ kind }) => kind === 'query'),
      map((operation) => makeResult(operation, { data })),
    )
    pipe(
      shared,
      subscribe((operation) => {
        if (operation.kind === 'subscription') subscriptions.push(operation)
      }),
    )
    return merge([responses, pushed.source])
  }
  const client = new Client({ url: 'http://127.0.0.1/', preferGetMethod: false, exchanges: [createCache(), server] })
  return { client, push: (data: object) => pushed.next(makeResult(subscriptions.at(-1)!, { data })) }
}

function cannedKeys(): object {
  const edges = createMockData(false).keys.map((node) => ({ __typename: 'ApiKeyEdge', node: typed(node) }))
  const pageInfo = { __typename: 'PageInfo', hasNextPage: false, endCursor: null }
  return { list: { __typename: 'ApiKeyConnection', edges, pageInfo } }
}

function typed(key: Record<string, unknown>): object {
  return {
    ...key,
    __typename: 'ApiKey',
    group: { ...(key['group'] as object), __typename: 'Group' },
    owner: key['owner'] && { ...(key['owner'] as object), __typename: 'User' },
  }
}

test('what settles is added to its key alone, to the last nano-dollar, in whatever list shows the key', async () => {
  const { client, push } = openClient()
  const spent: string[][] = []
  const onResult = ({
    data,
  }: OperationResult<{ list: { edges: readonly { node: { id: string; spentTotal: string } }[] } }>) => {
    if (data) spent.push(data.list.edges.map(({ node }) => node.spentTotal))
  }
  pipe(client.query(keysQuery, { first: 50 }), subscribe(onResult as never))
  pipe(
    client.subscription(keySpending, {}),
    subscribe(() => {}),
  )
  const [before] = spent
  expect(before?.length).toBeGreaterThan(1)
  const request = {
    __typename: 'Request',
    apiKey: { __typename: 'ApiKey', id: 'K1' },
    billed: '9007199254740993',
    startedAt: '2030-01-01T00:00:00Z',
    durationMs: 1,
  }
  push(feed({ __typename: 'RequestSettled', request }))
  await expect.poll(() => spent.at(-1)?.[0]).toBe(String(BigInt(before![0]!) + 9_007_199_254_740_993n))
  expect(spent.at(-1)?.slice(1)).toEqual(before?.slice(1))
})

test('an account is untested until a request of it completes', async () => {
  const none = { __typename: 'GroupConnection', edges: [] }
  const node = { __typename: 'Account', id: 'A1', isTested: false }
  const accounts = { __typename: 'AccountConnection', edges: [{ __typename: 'AccountEdge', node }] }
  const { client, push } = openClient({ groups: none, accounts, apiKeys: { ...none, __typename: 'ApiKeyConnection' } })
  const seen: (boolean | null | undefined)[] = []
  pipe(
    client.query(startQuery, {}),
    subscribe(({ data }) => seen.push(data?.accounts?.edges[0]?.node.isTested)),
  )
  pipe(
    client.subscription(inFlightEvents, {}),
    subscribe(() => {}),
  )
  const settled = (outcome: string) =>
    feed({
      __typename: 'RequestSettled',
      request: { __typename: 'Request', requestId: 'r1', outcome, account: { __typename: 'Account', id: 'A1' } },
    })
  push(settled('FAILED'))
  expect(seen.at(-1)).toBe(false)
  push(settled('COMPLETED'))
  await expect.poll(() => seen.at(-1)).toBe(true)
})

test('an event of an account that no query has read is no error', async () => {
  const { client, push } = openClient()
  pipe(
    client.subscription(accountEvents, {}),
    subscribe(() => {}),
  )
  const account = {
    __typename: 'Account',
    id: 'A9',
    name: 'n',
    enabled: true,
    inFlight: 3,
    limitGauges: [],
    state: {
      __typename: 'AccountState',
      kind: 'READY',
      since: null,
      until: null,
      nextProbeAt: null,
      reason: '',
      failure: null,
      models: [],
    },
  }
  expect(() => push(feed({ __typename: 'AccountChanged', account, steps: [] }))).not.toThrow()
})

const feed = (event: object) => ({ feed: { __typename: 'RequestEvents', cursor: '1', gap: null, events: [event] } })
