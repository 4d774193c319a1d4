import { onTestFinished } from 'vitest'
import { createAccounts } from '../../server/accounts/accounts.ts'
import { createUsers } from '../../server/identity/users.ts'
import { createKeys } from '../../server/keys/keys.ts'
import { provision } from '../../server/provisioning/provision.ts'
import { readProvisionFile } from '../../server/provisioning/provision-file.ts'
import { createRequestIds } from '../../server/request-ids.ts'
import type { Tx } from '../../server/store/database.ts'
import { createMemoryEvents } from '../../server/store/memory/events.ts'
import { createSeal } from '../../server/store/seal.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { createErrorRules } from '../../server/upstreams/rules/rules.ts'
import { cheapPasswords } from './cheap-passwords.ts'
import { openTestDatabase } from './engines.ts'

/** Accounts, keys, rules and users on a new database of this run's engine, which is deleted with the test. */
export async function openNouns() {
  const database = await openTestDatabase()
  const seal = createSeal(Buffer.alloc(32, 7))
  const events = createMemoryEvents((error) => {
    throw error
  })
  onTestFinished(async () => {
    await events.close()
    await database.close()
  })
  const newId = createRequestIds(3, Date.now)
  const accounts = createAccounts({ database, seal, events, now: Date.now, chance: Math.random, newId })
  const keys = createKeys({ database, seal })
  const rules = createErrorRules({ database, platforms })
  const users = createUsers({ passwords: cheapPasswords })
  return {
    database,
    client: database.client,
    seal,
    events,
    accounts,
    keys,
    rules,
    users,
    /** Runs `fn` as mutations run: in a transaction, one after the other. */
    write: <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => database.locked(['settings'], fn),
    /** Brings the text of a provisioning file in, given as an object, and reads everything anew. */
    async provision(file: object): Promise<void> {
      await provision({ database, users, accounts, keys, rules }, readProvisionFile(JSON.stringify(file)))
      await Promise.all([accounts.load(), keys.load(), rules.load()])
    },
  }
}
