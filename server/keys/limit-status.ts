import type { Counters } from '../store/counters.ts'
import type { ApiKey } from './api-key.ts'
import {
  type CounterMeaning,
  claimsOf,
  hasCostLimits,
  type LimitClaim,
  type LimitRule,
  type LimitSubject,
  parseCounter,
  rollingLengthMs,
} from './limits.ts'
import type { Windows } from './windows.ts'

/** How much of a cost limit is used. Amounts in nano-USD. */
export interface LimitStatus {
  subject: LimitSubject
  rule: LimitRule
  limitNano: number
  /** By requests that have ended. */
  spentNano: number
  /** By requests that run. */
  reservedNano: number
  /** Epoch milliseconds; null: it does not begin anew at a fixed time. */
  resetsAtMs: number | null
  /** Of a rolling limit only. */
  rollingHours: number | null
}

/** The cost limits of a key, of its owner and of its group as claims on counters; none when there is no limit at all. */
export function costClaimsOf(key: ApiKey, windows: Windows, atMs: number): LimitClaim[] {
  const { ofUser, ofGroup } = key
  if (!hasCostLimits(key) && !hasCostLimits(ofUser) && !hasCostLimits(ofGroup)) return []
  const now = windows(atMs)
  return [
    ...claimsOf('key', key.id, key, now, atMs),
    ...(key.userId === 0 ? [] : claimsOf('user', key.userId, ofUser, now, atMs)),
    ...claimsOf('group', key.groupId, ofGroup, now, atMs),
  ]
}

/** Reads how much of each cost limit of a key is used. A counter that has no value yet is read from the ledger. */
export function createLimitStatus(parts: {
  counters: Pick<Counters, 'read'>
  spentNano: (of: Pick<CounterMeaning, 'subject' | 'id' | 'window'>) => Promise<number>
  windows: () => Windows
  now: () => number
}) {
  const { counters } = parts

  async function read(counter: string): Promise<{ spentNano: number; heldNano: number }> {
    return (await counters.read(counter)) ?? { spentNano: await parts.spentNano(parseCounter(counter)), heldNano: 0 }
  }

  async function statusOf(claim: LimitClaim): Promise<LimitStatus> {
    const { subject, rule, limitNano, rollingHours = null, earlier = [] } = claim
    const values = await Promise.all([...earlier, claim.counter].map(read))
    const spentNano = values.reduce((sum, value) => sum + value.spentNano, 0)
    const reservedNano = values.reduce((sum, value) => sum + value.heldNano, 0)
    const isReached = spentNano >= limitNano
    const resetsAtMs = isReached ? await resetOf({ read }, claim) : claim.resetsAtMs
    return { subject, rule, limitNano, spentNano, reservedNano, resetsAtMs, rollingHours }
  }

  return (key: ApiKey): Promise<LimitStatus[]> =>
    Promise.all(costClaimsOf(key, parts.windows(), parts.now()).map(statusOf))
}

export type LimitStatusOf = ReturnType<typeof createLimitStatus>

/** When a used-up limit lets requests through again; null: never by itself. */
export async function resetOf(
  counters: { read: (counter: string) => Promise<{ spentNano: number } | null> },
  claim: LimitClaim,
): Promise<number | null> {
  const { earlier, rollingHours, resetsAtMs, limitNano } = claim
  if (earlier === undefined || rollingHours === undefined) return resetsAtMs
  const parts = await Promise.all(
    [...earlier, claim.counter].map(async (name) => ({ name, nano: (await counters.read(name))?.spentNano ?? 0 })),
  )
  let left = parts.reduce((sum, { nano }) => sum + nano, 0)
  for (const { name, nano } of parts) {
    left -= nano
    if (left < limitNano) return parseCounter(name).window!.toMs + rollingLengthMs(rollingHours)
  }
  return null
}
