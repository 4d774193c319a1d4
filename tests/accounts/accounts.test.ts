import { expect, test } from 'vitest'
import type { AccountDraft } from '../../server/accounts/account.ts'
import { createAccounts } from '../../server/accounts/accounts.ts'
import { createRequestIds } from '../../server/request-ids.ts'
import { openNouns } from '../support/nouns.ts'

const byRequest = { by: 'request', requestId: 'req_1', evidence: null } as const

async function openPool() {
  const nouns = await openNouns()
  const { accounts, client, write } = nouns
  const groupId = await write((tx) => accounts.ensureGroup(tx, 'g'))
  return {
    ...nouns,
    groupId,
    /** Saves, reads everything anew and gives the account as the relay sees it. */
    async save(draft: AccountDraft) {
      const id = await write((tx) => accounts.save(tx, draft))
      await accounts.load()
      return accounts.byId(id)!
    },
    credentialOf: (accountId: number) => client.accountCredential.findUniqueOrThrow({ where: { accountId } }),
  }
}

const whole = {
  name: 'one',
  url: 'https://api.example.com/anthropic',
  secret: 'sk-upstream-1',
  proxy: 'socks5://127.0.0.1:1080',
  authHeader: 'x-api-key',
  priority: 10,
  weight: 50,
  models: ['claude-*'],
  modelMapping: { 'claude-opus-5-5': 'glm-5' },
} satisfies AccountDraft

test('a new account has the defaults that the documents name, and what its draft says', async () => {
  const { save, groupId, accounts } = await openPool()
  const plain = await save({ name: 'plain', url: 'https://api.example.com', secret: 's', groupIds: [groupId] })
  expect(plain).toMatchObject({
    platform: 'console',
    origin: 'https://api.example.com',
    basePath: '',
    authHeader: 'bearer',
    secret: 's',
    proxy: null,
    priority: 100,
    weight: 100,
    enabled: true,
    live: { state: { kind: 'ready' }, inFlight: 0 },
  })
  expect(plain.models.everything).toBe(true)
  const told = await save({ ...whole, groupIds: [groupId] })
  expect(told).toMatchObject({
    basePath: '/anthropic',
    authHeader: 'x-api-key',
    priority: 10,
    weight: 50,
    secret: 'sk-upstream-1',
  })
  expect(told.mapping.map('claude-opus-5-5')).toBe('glm-5')
  expect(
    accounts
      .ofGroup(groupId)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['one', 'plain'])
})

test('absent fields stay as they are, and null takes the proxy away', async () => {
  const { save, groupId } = await openPool()
  const before = await save({ ...whole, groupIds: [groupId] })
  const after = await save({ name: 'one', priority: 20 })
  expect({ ...after, models: 0, mapping: 0 }).toEqual({ ...before, priority: 20, models: 0, mapping: 0 })
  expect(after.models.names).toEqual(before.models.names)
  expect(after.mapping.names).toEqual(before.mapping.names)
  expect(await save({ name: 'one', proxy: null })).toMatchObject({ proxy: null, secret: 'sk-upstream-1' })
})

test('a new account without address, group or secret is refused by name', async () => {
  const { save, groupId } = await openPool()
  await expect(save({ name: 'half', url: 'https://api.example.com', groupIds: [groupId] })).rejects.toThrow(
    'account "half" is new and needs url, groups and secret',
  )
})

test('secret and proxy are sealed, in a row of their own that is bound to the account', async () => {
  const { save, groupId, credentialOf, seal, client } = await openPool()
  const account = await save({ ...whole, groupIds: [groupId] })
  const { sealed } = await credentialOf(account.id)
  const everything = JSON.stringify([await client.account.findMany(), await client.accountCredential.findMany()])
  expect(everything).not.toContain('sk-upstream-1')
  expect(everything).not.toContain('1080')
  expect(() => seal.open(sealed, `account_credentials:${account.id + 1}`)).toThrow()
})

test('the credential row is written only when secret or proxy changed', async () => {
  const { save, groupId, credentialOf } = await openPool()
  const { id } = await save({ ...whole, groupIds: [groupId] })
  const first = await credentialOf(id)
  await save({ ...whole, groupIds: [groupId], priority: 11 })
  expect(await credentialOf(id)).toEqual(first)
  await save({ name: 'one', secret: 'sk-upstream-2' })
  const second = await credentialOf(id)
  expect(second.version).toBe(first.version + 1)
  expect(await save({ name: 'one', proxy: null })).toMatchObject({ secret: 'sk-upstream-2', proxy: null })
  expect((await credentialOf(id)).version).toBe(first.version + 2)
})

test('a secret never goes to another address: a changed one asks for the secret again', async () => {
  const { save, groupId } = await openPool()
  await save({ ...whole, groupIds: [groupId] })
  const url = 'https://other.example.com'
  await expect(save({ name: 'one', url })).rejects.toThrow(
    'account "one" has another url now, and needs its secret again',
  )
  expect(await save({ name: 'one', url, secret: 'sk-other' })).toMatchObject({
    origin: url,
    basePath: '',
    secret: 'sk-other',
  })
})

test('the name of a deleted account is free, and the deleted one is out of the pool', async () => {
  const { save, groupId, client, accounts } = await openPool()
  const old = await save({ ...whole, groupIds: [groupId] })
  await client.account.update({ where: { id: old.id }, data: { deletedMark: old.id } })
  const fresh = await save({ ...whole, secret: 'sk-upstream-9', groupIds: [groupId] })
  expect(fresh.id).not.toBe(old.id)
  expect(accounts.ofGroup(groupId)).toEqual([fresh])
  expect(accounts.byId(old.id)).toBeUndefined()
})

test('accounts of a group that is switched off take no part until it is on again, whatever their own switch', async () => {
  const { save, groupId, accounts, write } = await openPool()
  const account = await save({ ...whole, groupIds: [groupId] })
  const turn = async (enabled: boolean) => {
    await write((tx) => tx.group.update({ where: { id: groupId }, data: { enabled } }))
    await accounts.loadGroup(groupId)
    const { enabled: takesPart, switchedOn } = accounts.byId(account.id)!
    return { takesPart, switchedOn }
  }
  expect(await turn(false)).toEqual({ takesPart: false, switchedOn: true })
  expect(await turn(true)).toEqual({ takesPart: true, switchedOn: true })
})

test('a group is made once and found by its name; a deleted one is not found', async () => {
  const { write, accounts, client, groupId } = await openPool()
  expect(await write((tx) => accounts.ensureGroup(tx, 'g'))).toBe(groupId)
  await client.group.update({ where: { id: groupId }, data: { deletedMark: groupId } })
  expect(await write((tx) => accounts.ensureGroup(tx, 'g'))).not.toBe(groupId)
})

test('an account keeps its live state over a reload, and its stored state over a restart', async () => {
  const { save, groupId, accounts, client, database, seal, events } = await openPool()
  const account = await save({ ...whole, groupIds: [groupId] })
  accounts.report(account, { kind: 'rate_limited', untilMs: 1_900_000_000_000, reason: 'told so' }, byRequest)
  account.live.inFlight = 3
  expect((await save({ name: 'one', priority: 1 })).live).toBe(account.live)
  await accounts.stored()
  const stored = await client.account.findUniqueOrThrow({ where: { id: account.id } })
  expect(JSON.parse(stored.state)).toMatchObject({ kind: 'rate_limited', untilMs: 1_900_000_000_000 })
  const newId = createRequestIds(4, Date.now)
  const restarted = createAccounts({ database, seal, events, now: Date.now, chance: Math.random, newId })
  await restarted.load()
  expect(restarted.byId(account.id)?.live).toEqual({ state: account.live.state, inFlight: 0 })
})

test('an account that was changed is read alone; the others stay the objects they were', async () => {
  const { accounts, save, groupId } = await openPool()
  const one = await save({ ...whole, groupIds: [groupId] })
  const other = await save({ ...whole, name: 'other', groupIds: [groupId] })
  const before = [accounts.byId(one.id), accounts.byId(other.id)]
  await accounts.load(one.id)
  expect(accounts.byId(one.id)).not.toBe(before[0])
  expect(accounts.byId(one.id)?.live).toBe(one.live)
  expect(accounts.byId(other.id)).toBe(before[1])
  expect(accounts.ofGroup(groupId).map(({ id }) => id)).toEqual([one.id, other.id])
})
