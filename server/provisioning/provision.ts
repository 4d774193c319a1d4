import type { Accounts } from '../accounts/accounts.ts'
import type { Users } from '../identity/users.ts'
import type { Keys } from '../keys/keys.ts'
import { parseUsd } from '../money/usd.ts'
import type { Database } from '../store/database.ts'
import type { ErrorRules } from '../upstreams/rules/rules.ts'
import { VerbFailure } from '../verb-failure.ts'
import type { Provision } from './provision-file.ts'

/**
 * Brings a provisioning file into the database, all or nothing. Objects are matched by name; fields present win at each
 * start, fields and objects that are absent stay as they are.
 */
export async function provision(
  parts: { database: Database; users: Users; accounts: Accounts; keys: Keys; rules: ErrorRules },
  file: Provision,
): Promise<void> {
  const { users, accounts, keys, rules } = parts
  await parts.database.locked(['accounts', 'error-rules', 'groups', 'keys', 'users'], async (tx) => {
    const groups = new Map<string, number>()
    const groupId = async (path: string, name: string): Promise<number> => {
      const known = groups.get(name)
      if (known !== undefined) return known
      const found = await tx.group.findFirst({ where: { name, deletedMark: 0 } })
      if (!found) throw new Error(`PROVISION_FILE: ${path}: there is no group "${name}" in the file or in the database`)
      groups.set(name, found.id)
      return found.id
    }
    const groupIds = async (path: string, names: readonly string[]): Promise<number[]> => {
      const ids: number[] = []
      for (const [index, name] of names.entries()) ids.push(await groupId(`${path}[${index}]`, name))
      return ids
    }
    if (file.admin) await named('admin', users.saveAdmin(tx, file.admin))
    for (const { name, chargeFactor: chargeBp, ...fields } of file.groups) {
      groups.set(name, await accounts.ensureGroup(tx, name, { ...fields, ...(chargeBp !== undefined && { chargeBp }) }))
    }
    for (const [index, given] of file.accounts.entries()) {
      const { groups: names, accessToken, refreshToken, expiresAt, ...draft } = given
      const path = `accounts[${index}]`
      const fields = {
        ...draft,
        ...(names && { groupIds: await groupIds(`${path}.groups`, names) }),
        ...(accessToken !== undefined && {
          login: {
            accessToken,
            refreshToken: refreshToken ?? null,
            expiresAtMs: expiresAt === undefined ? null : Date.parse(expiresAt),
          },
        }),
      }
      await named(path, accounts.save(tx, fields))
    }
    for (const [index, { group, expiresAt, ...given }] of file.keys.entries()) {
      const { dailyLimitUsd, weeklyLimitUsd, monthlyLimitUsd, totalLimitUsd, rollingLimitUsd, ...draft } = given
      const path = `keys[${index}]`
      await named(
        path,
        keys.save(tx, {
          ...draft,
          ...(group !== undefined && { groupId: await groupId(`${path}.group`, group) }),
          ...limit('dailyLimitNano', dailyLimitUsd),
          ...limit('weeklyLimitNano', weeklyLimitUsd),
          ...limit('monthlyLimitNano', monthlyLimitUsd),
          ...limit('totalLimitNano', totalLimitUsd),
          ...limit('rollingLimitNano', rollingLimitUsd),
          ...(expiresAt !== undefined && { expiresAt: expiresAt === null ? null : new Date(expiresAt) }),
        }),
      )
    }
    const order: number[] = []
    for (const [index, { status, errorType, code, message, ...draft }] of file.rules.entries()) {
      const matched = given({ status, errorType, code, message })
      order.push(await named(`rules[${index}]`, rules.save(tx, { ...draft, ...matched })))
    }
    await rules.putInOrder(tx, order)
  })
}

/** Leaves out fields that are not given; turns null into ''. */
function given<Name extends string>(fields: Record<Name, string | null | undefined>): Partial<Record<Name, string>> {
  const present = Object.entries<string | null | undefined>(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present.map(([name, value]) => [name, value ?? ''])) as Partial<Record<Name, string>>
}

/** Adds the path in the file to our own errors. Database errors pass unchanged: their code decides on another try. */
async function named<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof VerbFailure) {
      const { values, message } = error
      throw new Error(`PROVISION_FILE: ${path}: ${values['fields'] ?? message}`, { cause: error })
    }
    if (!(error instanceof Error) || 'code' in error) throw error
    throw new Error(`PROVISION_FILE: ${path}: ${error.message}`, { cause: error })
  }
}

/** A limit in USD as the field of a draft; absent when the file does not have it. */
function limit<Name extends string>(name: Name, usd: string | null | undefined): { [N in Name]?: bigint | null } {
  if (usd === undefined) return {}
  return { [name]: usd === null ? null : parseUsd(usd) } as { [N in Name]?: bigint | null }
}
