import { type Cache, cacheExchange, type KeyingConfig } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { type AccountEvent, accountStateFields } from '../graphql/account-operations.ts'
import { keySpendingFields } from '../graphql/key-operations.ts'
import type { SpendingEvent } from '../graphql/live-operations.ts'

/** Objects whose identity is another field than `id`. */
export const otherKeys: Record<string, string> = {
  LiveRequest: 'requestId',
  Log: 'requestId',
  Job: 'name',
  Setting: 'name',
}

/** Objects without an identity: they are part of the object that holds them. tests/client/cache.test.ts keeps the list complete. */
export const objectsWithoutId = [
  'AccountChange',
  'AccountLogin',
  'AccountState',
  'AccountStep',
  'Attempt',
  'BuiltInVerdict',
  'ClaudeAccounts',
  'CostTotals',
  'CostParts',
  'Deployment',
  'FailureCause',
  'FieldProblem',
  'Gap',
  'JobRun',
  'LimitGauge',
  'LimitGaugePoint',
  'ModelMapping',
  'ModelRest',
  'Probe',
  'RouteCandidate',
  'RouteCount',
  'RouteDecision',
  'RouteTrace',
  'RunCount',
  'SettledRequest',
  'SimulatedRoute',
  'Tokens',
  'Totals',
  'VerdictMeaning',
  'VerdictTrialFailure',
  'VerdictTrialSample',
]

/** Which types stand behind the interfaces that operations name; the same test compares it with the schema. */
export const possibleTypes = {
  Failure: ['ConflictFailure', 'InputFailure', 'NotFoundFailure', 'SignInFailure'],
  Node: ['Account', 'ApiKey', 'AuditEntry', 'Group', 'Log', 'User', 'VerdictRule'],
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const keys: KeyingConfig = {
  ...Object.fromEntries(objectsWithoutId.map((type) => [type, () => null])),
  ...Object.fromEntries(Object.entries(otherKeys).map(([type, field]) => [type, (data) => textOf(data[field])])),
}

/** Lists by keyset; mutations that create, delete or transfer have them read again. */
const lists = ['accounts', 'apiKeys', 'groups'] as const
const changesLists = [
  ...['Account', 'ApiKey', 'Group'].flatMap((noun) => [`create${noun}`, `delete${noun}`]),
  'giveToOwner',
  'removeAccountFromGroup',
]

/** The normalised cache: one copy of each object, whichever query, mutation or live event brought it. */
export function createCache() {
  return cacheExchange({
    keys,
    possibleTypes,
    resolvers: { Query: Object.fromEntries(lists.map((name) => [name, relayPagination()])) },
    updates: {
      Mutation: Object.fromEntries(
        changesLists.map((name) => [
          name,
          (_result: unknown, _args: unknown, cache: Cache) => {
            for (const { fieldName, fieldKey } of cache.inspectFields('Query'))
              if ((lists as readonly string[]).includes(fieldName)) cache.invalidate('Query', fieldKey)
          },
        ]),
      ),
      Subscription: {
        accountChanged: (result, _args, cache) =>
          writeAccountEvents(cache, (result as unknown as Feed<AccountEvent>).events),
        requestSettled: (result, _args, cache) =>
          writeSpending(cache, (result as unknown as Feed<SpendingEvent>).events),
      },
    },
  })
}

interface Feed<Event> {
  events: readonly Event[]
}

/** Lays changes of state over the accounts that are in the cache. */
function writeAccountEvents(cache: Cache, events: readonly AccountEvent[]): void {
  for (const { account } of events) {
    if (!account) continue
    const { accountId, name, enabled, inFlight, state, limitGauges } = account
    const entity = { __typename: 'Account' as const, id: accountId }
    if (cache.resolve(entity, 'name') === undefined) continue
    cache.writeFragment(accountStateFields, { ...entity, name, enabled, inFlight, state, limitGauges })
  }
}

/** Adds what was settled to the keys that are in the cache. */
function writeSpending(cache: Cache, events: readonly SpendingEvent[]): void {
  for (const { settled } of events) {
    if (!settled) continue
    const entity = { __typename: 'ApiKey' as const, id: settled.apiKeyId }
    const spentToday = cache.resolve(entity, 'spentToday')
    const spentTotal = cache.resolve(entity, 'spentTotal')
    if (typeof spentToday !== 'string' || typeof spentTotal !== 'string') continue
    const lastUsedAt = cache.resolve(entity, 'lastUsedAt')
    const isLater = typeof lastUsedAt !== 'string' || Date.parse(lastUsedAt) < Date.parse(settled.startedAt)
    cache.writeFragment(keySpendingFields, {
      ...entity,
      spentToday: addNanoUsd(spentToday, settled.cost),
      spentTotal: addNanoUsd(spentTotal, settled.cost),
      lastUsedAt: isLater ? settled.startedAt : lastUsedAt,
    })
  }
}

const addNanoUsd = (one: string, other: string): string => String(BigInt(one) + BigInt(other))
