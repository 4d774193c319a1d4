import { redactText } from '../redaction.ts'
import type { Tx } from '../store/database.ts'

/** The person or program that makes a change, with address and request. */
export interface Actor {
  /** 0 when nobody is signed in (setup, a sign-in, the program itself). */
  userId: number
  clientIp: string
  userAgent: string
  requestId: string
}

/** A change. `before` and `after` hold the changed fields; of a secret they say only whether it is set. */
export interface AuditEntry {
  action: string
  objectType: string
  objectId: number
  before?: Readonly<Record<string, unknown>>
  after?: Readonly<Record<string, unknown>>
}

const longestText = 16_000

/** Writes the row of a change, in the transaction that makes it. `id` is unique and sorts by time. */
export async function recordChange(
  tx: Tx,
  { id, atMs }: { id: bigint; atMs: number },
  actor: Actor,
  entry: AuditEntry,
): Promise<void> {
  await tx.apiLog.create({
    data: {
      id,
      atMs: BigInt(atMs),
      userId: actor.userId,
      action: entry.action,
      objectType: entry.objectType,
      objectId: entry.objectId,
      before: asText(entry.before),
      after: asText(entry.after),
      clientIp: actor.clientIp.slice(0, 64),
      userAgent: actor.userAgent.slice(0, 191),
      requestId: actor.requestId,
    },
  })
}

/** Fields of `after` that differ from `before`, on both sides. Dates and big integers compare by their text. */
export function changedFields<Fields extends object>(
  before: Fields,
  after: Partial<Fields>,
): { before: Record<string, unknown>; after: Record<string, unknown> } {
  const changed = { before: {} as Record<string, unknown>, after: {} as Record<string, unknown> }
  for (const [name, value] of Object.entries(after)) {
    const old = (before as Record<string, unknown>)[name]
    if (asText({ value: old }) === asText({ value })) continue
    changed.before[name] = old
    changed.after[name] = value
  }
  return changed
}

const secretNames = /secret|password|hmac|token|sealed|proxy/i

function asText(fields: Readonly<Record<string, unknown>> | undefined): string {
  if (!fields) return ''
  const text = JSON.stringify(fields, (name, value: unknown) => {
    if (typeof value === 'bigint') return value.toString()
    if (typeof value === 'string' && secretNames.test(name)) return '[secret]'
    return typeof value === 'string' ? redactText(value) : value
  })
  return text.length > longestText ? JSON.stringify({ tooLong: text.length }) : text
}
