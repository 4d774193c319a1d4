import { expect, test } from 'vitest'
import { createAccountEdits } from '../../server/accounts/edits.ts'
import { openNouns } from '../support/nouns.ts'

const upstream = { url: 'https://api.example.com', secret: 'sk-upstream-1' }

/** One account in both groups, one in the second alone. */
async function openShared() {
  const nouns = await openNouns()
  const { provision, accounts, client, seal } = nouns
  await provision({
    groups: [{ name: 'one' }, { name: 'two' }],
    accounts: [
      { name: 'shared', groups: ['one', 'two'], ...upstream },
      { name: 'own', groups: ['two'], ...upstream },
    ],
  })
  const [one, two] = (await client.group.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id) as [number, number]
  const names = (groupId: number) => accounts.ofGroup(groupId).map(({ name }) => name)
  const idOf = (name: string) => [...accounts.all()].find((account) => account.name === name)!.id
  return { ...nouns, edits: createAccountEdits({ seal }), one, two, names, idOf }
}

test('an account is a member of each of its groups, with one state and one count of requests in flight', async () => {
  const { accounts, one, two, names } = await openShared()
  expect([names(one), names(two)]).toEqual([['shared'], ['shared', 'own']])
  expect(accounts.ofGroup(one)[0]!.live).toBe(accounts.ofGroup(two)[0]!.live)
  expect(accounts.ofGroup(one)[0]!.groupIds).toEqual([one, two])
})

test('a provisioning file names all groups of an account, and an account without that field keeps its own', async () => {
  const { provision, one, two, names } = await openShared()
  await provision({ accounts: [{ name: 'shared', priority: 5 }] })
  expect([names(one), names(two)]).toEqual([['shared'], ['shared', 'own']])
  await provision({ accounts: [{ name: 'shared', groups: ['one'] }] })
  expect([names(one), names(two)]).toEqual([['shared'], ['own']])
})

test('a group that is switched off serves nobody, and its accounts go on in their other groups', async () => {
  const { accounts, client, one, two, idOf } = await openShared()
  await client.group.update({ where: { id: two }, data: { enabled: false } })
  await accounts.loadGroup(two)
  const enabled = (groupId: number) => accounts.ofGroup(groupId).map((account) => account.enabled)
  expect([enabled(one), enabled(two)]).toEqual([[true], [false, false]])
  expect([accounts.byId(idOf('shared'))?.enabled, accounts.byId(idOf('own'))?.enabled]).toEqual([true, false])
  await client.group.update({ where: { id: one }, data: { enabled: false } })
  await accounts.loadGroup(one)
  expect(accounts.byId(idOf('shared'))?.enabled).toBe(false)
})

test('an edit of one account is read alone, and moves it between the groups in memory', async () => {
  const { accounts, write, edits, one, two, names, idOf } = await openShared()
  const id = idOf('own')
  await write((tx) => edits.update(tx, id, { groupIds: [one] }, true))
  await accounts.load(id)
  expect([names(one), names(two)]).toEqual([['shared', 'own'], ['shared']])
})

test('an account leaves a group unless it is its only one', async () => {
  const { accounts, write, edits, one, two, names, idOf } = await openShared()
  const id = idOf('shared')
  expect(await write((tx) => edits.removeFromGroup(tx, id, two))).toEqual({ before: [one, two], after: [one] })
  await accounts.load(id)
  expect([names(one), names(two)]).toEqual([['shared'], ['own']])
  await expect(write((tx) => edits.removeFromGroup(tx, id, one))).rejects.toThrow('serves no other group')
  await expect(write((tx) => edits.removeFromGroup(tx, id, two))).rejects.toThrow('account')
})

test('a group is deleted when its accounts serve other groups too; they leave it', async () => {
  const { accounts, client, write, edits, one, two, names, idOf } = await openShared()
  await expect(write((tx) => edits.removeGroup(tx, two))).rejects.toThrow('The group still has accounts: 1.')
  expect(await client.accountGroup.count({ where: { groupId: two } })).toBe(2)
  const own = idOf('own')
  await write((tx) => edits.remove(tx, own))
  await write((tx) => edits.removeGroup(tx, two))
  await accounts.load(own)
  await accounts.loadGroup(two)
  expect([names(one), names(two)]).toEqual([['shared'], []])
  expect(accounts.byId(idOf('shared'))?.groupIds).toEqual([one])
  await expect(write((tx) => edits.removeGroup(tx, one))).rejects.toThrow('The group still has accounts: 1.')
})
