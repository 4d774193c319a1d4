import type { Tx } from '../store/database.ts'
import type { Platform } from './account.ts'

/**
 * Accounts of the platform `claude` are off until an administrator turns them on, having read what the vendor's terms say
 * about it. Who did, and when, stays beside the switch; the audit log has every change of it.
 */
export interface ClaudeSwitch {
  enabled: boolean
  /** Who acknowledged the notice; 0: nobody yet. */
  acknowledgedBy: number
  /** Epoch milliseconds; 0: never. */
  acknowledgedAtMs: number
}

const rowName = 'claude-accounts'
const off: ClaudeSwitch = { enabled: false, acknowledgedBy: 0, acknowledgedAtMs: 0 }

export async function readClaudeSwitch(client: Pick<Tx, 'setting'>): Promise<ClaudeSwitch> {
  const row = await client.setting.findUnique({ where: { name: rowName } })
  return row ? { ...off, ...(JSON.parse(row.value) as Partial<ClaudeSwitch>) } : off
}

export async function writeClaudeSwitch(tx: Tx, fresh: ClaudeSwitch): Promise<void> {
  const value = JSON.stringify(fresh)
  await tx.setting.upsert({ where: { name: rowName }, create: { name: rowName, value }, update: { value } })
}

/** Platforms whose accounts take no part, whatever their own switches say. */
export async function platformsOff(client: Pick<Tx, 'setting'>): Promise<ReadonlySet<Platform>> {
  return new Set((await readClaudeSwitch(client)).enabled ? [] : ['claude'])
}
