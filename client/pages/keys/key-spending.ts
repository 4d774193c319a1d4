import type { ApiKey } from '../../graphql/key-operations.ts'
import type { SpendingEvent } from '../../graphql/live-operations.ts'

/** Adds what was settled to the keys that are shown; null when it touches none of them. */
export function foldSpending(keys: readonly ApiKey[], events: readonly SpendingEvent[]): ApiKey[] | null {
  const spent = new Map<string, { nano: bigint; lastMs: number }>()
  for (const { settled } of events) {
    if (!settled) continue
    const known = spent.get(settled.apiKeyId) ?? { nano: 0n, lastMs: 0 }
    spent.set(settled.apiKeyId, {
      nano: known.nano + BigInt(settled.cost),
      lastMs: Math.max(known.lastMs, Date.parse(settled.startedAt)),
    })
  }
  if (!keys.some(({ id }) => spent.has(id))) return null
  return keys.map((key) => {
    const more = spent.get(key.id)
    if (more === undefined) return key
    const lastMs = Math.max(more.lastMs, key.lastUsedAt === null ? 0 : Date.parse(key.lastUsedAt))
    return {
      ...key,
      spentToday: String(BigInt(key.spentToday) + more.nano),
      spentTotal: String(BigInt(key.spentTotal) + more.nano),
      lastUsedAt: new Date(lastMs).toISOString(),
    }
  })
}
