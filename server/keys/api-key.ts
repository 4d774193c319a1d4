import type { Prisma } from '../generated/sqlite/client.ts'
import { createModelList, createPattern, type ModelList } from '../model-patterns.ts'
import type { ChargeFactors } from '../money/charge.ts'
import { createNetworkList, type NetworkList } from '../networks.ts'
import { type CostLimits, noCostLimits, type RateLimits } from './limits.ts'

/** An API key as the relay needs it: a snapshot in memory. The secret itself is stored nowhere. */
export interface ApiKey extends CostLimits, RateLimits, ChargeFactors {
  id: number
  name: string
  userId: number
  groupId: number
  models: ModelList
  /** Where it may be used from; null: from everywhere. */
  addresses: NetworkList | null
  /** What the user agent must fit; null: any. */
  clients: readonly { test(userAgent: string): boolean }[] | null
  /** Epoch milliseconds; null: never. */
  expiresAtMs: number | null
  enabled: boolean
  ownerEnabled: boolean
  /** It expires so many days after its first use, which is still to come; null: it does not. */
  validForDays: number | null
  /** What its requests are booked on in statistics; '' for nothing. */
  tag: string
  /** Limits of all keys of its owner, and of its group. */
  ofUser: CostLimits
  ofGroup: CostLimits
}

type LimitColumns = { [Name in Exclude<keyof CostLimits, 'rollingHours'>]: bigint | null } & { rollingHours: number }

type Row = Prisma.ApiKeyGetPayload<{ include: { user: true; group: true } }>

export function keyOf(row: Row): ApiKey {
  return {
    id: row.id,
    name: row.name,
    userId: row.userId ?? 0,
    groupId: row.groupId,
    models: createModelList(JSON.parse(row.models)),
    addresses: row.allowedAddresses === null ? null : createNetworkList(allowedOf(row.allowedAddresses)),
    clients: row.allowedClients === null ? null : allowedOf(row.allowedClients).map(createPattern),
    ...costLimitsOf(row),
    requestsPerMinute: row.requestsPerMinute,
    tokensPerMinute: row.tokensPerMinute,
    concurrency: row.concurrency,
    validForDays: row.expiresAt === null ? row.validForDays : null,
    tag: row.tag,
    ofUser: row.user === null ? noCostLimits : costLimitsOf(row.user),
    ofGroup: costLimitsOf(row.group),
    groupChargeBp: row.group.chargeBp,
    userChargeBp: row.user?.chargeBp ?? 10_000,
    expiresAtMs: row.expiresAt?.getTime() ?? null,
    enabled: row.enabled,
    ownerEnabled: row.user === null || (row.user.enabled && row.user.deletedMark === 0),
  }
}

function costLimitsOf(row: LimitColumns): CostLimits {
  const number = (nano: bigint | null): number | null => (nano === null ? null : Number(nano))
  return {
    dailyLimitNano: number(row.dailyLimitNano),
    weeklyLimitNano: number(row.weeklyLimitNano),
    monthlyLimitNano: number(row.monthlyLimitNano),
    totalLimitNano: number(row.totalLimitNano),
    rollingLimitNano: number(row.rollingLimitNano),
    rollingHours: row.rollingHours,
  }
}

/** What a column of allowed addresses or clients lists. */
export const allowedOf = (column: string | null): string[] => (column === null ? [] : (JSON.parse(column) as string[]))

/** An empty list allows everything, as NULL. Absent lists stay as they are. */
export function allowedColumns(draft: { allowedAddresses?: readonly string[]; allowedClients?: readonly string[] }) {
  const column = (list: readonly string[]) => (list.length === 0 ? null : JSON.stringify(list))
  return {
    ...(draft.allowedAddresses !== undefined && { allowedAddresses: column(draft.allowedAddresses) }),
    ...(draft.allowedClients !== undefined && { allowedClients: column(draft.allowedClients) }),
  }
}
