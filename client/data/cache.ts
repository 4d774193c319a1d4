import { type Cache, cacheExchange, type KeyingConfig } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { testedFields } from '../graphql/account-operations.ts'
import { keySpendingFields } from '../graphql/key-operations.ts'
import type { InFlightEvent, SpendingEvent } from '../graphql/live-operations.ts'

/** Objects whose identity is another field than `id`. */
export const otherKeys: Record<string, string> = {
  Job: 'name',
}

/** Objects without an identity: they are part of the object that holds them. tests/client/cache.test.ts keeps the list complete. */
export const objectsWithoutId = [
  'AccountChanged',
  'AccountEvents',
  'AccountLogin',
  'AccountPreset',
  'AccountState',
  'AccountStep',
  'ApiKeySighting',
  'Attempt',
  'BuiltInErrorRule',
  'ClaudeAccounts',
  'Classification',
  'CostTotals',
  'CostTotalsDelta',
  'CostTotalsEvents',
  'CostTotalsSnapshot',
  'CostParts',
  'Deployment',
  'ErrorRuleTrialFailure',
  'ErrorRuleTrialSample',
  'FailureCause',
  'FallbackPricedModel',
  'FieldProblem',
  'FormatFlags',
  'Gap',
  'JobRun',
  'LimitGauge',
  'LimitGaugePoint',
  'MaxUtilization',
  'ModelMapping',
  'ModelCooldown',
  'Probe',
  'Rejection',
  'RejectionSummary',
  'RejectionsOfReason',
  // Hundreds a second: none is stored beside its list.
  'Request',
  'RequestEvents',
  'RequestProgressed',
  'RequestSettled',
  'RequestStarted',
  'RequestsRejected',
  'RouteCandidate',
  'RouteCount',
  'RouteDecision',
  'RouteTrace',
  'RunCount',
  'RunningRequests',
  'Session',
  'Settings',
  'SimulatedRoute',
  'Tokens',
  'Totals',
]

/** Which types stand behind the interfaces that operations name; the same test compares it with the schema. */
export const possibleTypes = {
  Failure: ['ConflictFailure', 'InputFailure', 'NotFoundFailure', 'SignInFailure'],
  DaySums: ['CostTotals', 'CostTotalsDelta', 'CostTotalsSnapshot'],
  Node: ['Account', 'ApiKey', 'AuditEntry', 'ErrorRule', 'Group', 'Request', 'User'],
  RerateSums: ['PreviewReratingSuccess', 'Rerating'],
  SessionUse: ['ClientSession', 'SessionModel', 'SessionThread'],
}

/** Each subscription selects a part of the events. */
type RequestEvent = InFlightEvent | SpendingEvent

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const keys: KeyingConfig = {
  ...Object.fromEntries(objectsWithoutId.map((type) => [type, () => null])),
  ...Object.fromEntries(Object.entries(otherKeys).map(([type, field]) => [type, (data) => textOf(data[field])])),
}

/** Lists by keyset; mutations that create, delete or transfer have them read again. */
const lists = ['accounts', 'apiKeys', 'groups', 'users'] as const
const changesLists = [
  ...['Account', 'ApiKey', 'Group'].flatMap((noun) => [`create${noun}`, `delete${noun}`]),
  'createUser',
  'transferOwnership',
  'removeAccountFromGroup',
]

/** The normalised cache: one copy of each object, whichever query, mutation or live event brought it. */
export function createCache() {
  return cacheExchange({
    keys,
    possibleTypes,
    resolvers: { Query: Object.fromEntries([...lists, 'rejections'].map((name) => [name, relayPagination()])) },
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
        requestEvents: (result, _args, cache) => {
          const { events } = (result as unknown as { feed: { events: RequestEvent[] } }).feed
          writeSpending(cache, events)
          writeTested(cache, events)
        },
      },
    },
  })
}

/** Adds what was settled to the keys that are in the cache. */
function writeSpending(cache: Cache, events: readonly RequestEvent[]): void {
  for (const event of events) {
    if (event.__typename !== 'RequestSettled' || !('billed' in event.request)) continue
    const { apiKey, billed, startedAt } = event.request
    if (!apiKey || typeof billed !== 'string') continue
    const entity = { __typename: 'ApiKey' as const, id: apiKey.id }
    const spentToday = cache.resolve(entity, 'spentToday')
    const spentTotal = cache.resolve(entity, 'spentTotal')
    if (typeof spentToday !== 'string' || typeof spentTotal !== 'string') continue
    const lastUsedAt = cache.resolve(entity, 'lastUsedAt')
    const isLater = typeof lastUsedAt !== 'string' || Date.parse(lastUsedAt) < Date.parse(startedAt)
    cache.writeFragment(keySpendingFields, {
      ...entity,
      spentToday: addNanoUsd(spentToday, billed),
      spentTotal: addNanoUsd(spentTotal, billed),
      lastUsedAt: isLater ? startedAt : lastUsedAt,
    })
  }
}

/** An account that completed a request is untested no more. */
function writeTested(cache: Cache, events: readonly RequestEvent[]): void {
  for (const event of events) {
    if (event.__typename !== 'RequestSettled' || !('account' in event.request)) continue
    const { account, outcome } = event.request
    if (!account || outcome !== 'COMPLETED') continue
    const entity = { __typename: 'Account' as const, id: account.id }
    if (cache.resolve(entity, 'isTested') === false) cache.writeFragment(testedFields, { ...entity, isTested: true })
  }
}

const addNanoUsd = (one: string, other: string): string => String(BigInt(one) + BigInt(other))
