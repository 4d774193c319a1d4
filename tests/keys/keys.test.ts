import { expect, test } from 'vitest'
import type { ApiKeyDraft } from '../../server/keys/keys.ts'
import { openNouns } from '../support/nouns.ts'

const secret = 'sk-alice-0123456789abcdef'

async function openKeys() {
  const nouns = await openNouns()
  const { keys, accounts, write } = nouns
  const groupId = await write((tx) => accounts.ensureGroup(tx, 'g'))
  return {
    ...nouns,
    groupId,
    /** Saves, reads everything anew and gives the key as the relay sees it. */
    async save(draft: ApiKeyDraft) {
      const id = await write((tx) => keys.save(tx, draft))
      await keys.load()
      return keys.byId(id)!
    },
  }
}

test('a key is found by its secret, which is stored nowhere', async () => {
  const { save, groupId, keys, client } = await openKeys()
  const key = await save({ name: 'alice', secret, groupId })
  expect(keys.find(secret)).toBe(key)
  expect(keys.find(`${secret}x`)).toBeUndefined()
  const [row] = await client.apiKey.findMany()
  expect(JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
    secret.slice(4, -4),
  )
  expect(row?.secretHint).toBe('sk-a…cdef')
})

test('a new key allows every model, has no limit and no end', async () => {
  const { save, groupId } = await openKeys()
  const key = await save({ name: 'alice', secret, groupId })
  expect(key).toMatchObject({
    userId: 0,
    dailyLimitNano: null,
    totalLimitNano: null,
    expiresAtMs: null,
    enabled: true,
    ownerEnabled: true,
  })
  expect(key.models.everything).toBe(true)
})

test('absent fields stay as they are, null clears', async () => {
  const { save, groupId } = await openKeys()
  const expiresAt = new Date('2027-01-31T00:00:00.123Z')
  await save({
    name: 'alice',
    secret,
    groupId,
    models: ['claude-*'],
    dailyLimitNano: 1n,
    totalLimitNano: 9_000_000_000_000_000n,
    expiresAt,
  })
  const same = await save({ name: 'alice' })
  expect(same).toMatchObject({
    dailyLimitNano: 1,
    totalLimitNano: 9_000_000_000_000_000,
    expiresAtMs: expiresAt.getTime(),
  })
  expect(same.models.everything).toBe(false)
  expect(await save({ name: 'alice', dailyLimitNano: null, expiresAt: null })).toMatchObject({
    dailyLimitNano: null,
    totalLimitNano: 9_000_000_000_000_000,
    expiresAtMs: null,
  })
})

test('a new secret takes the place of the old one', async () => {
  const { save, groupId, keys } = await openKeys()
  const { id } = await save({ name: 'alice', secret, groupId })
  await save({ name: 'alice', secret: 'sk-alice-new-0123456789' })
  expect(keys.find(secret)).toBeUndefined()
  expect(keys.find('sk-alice-new-0123456789')?.id).toBe(id)
})

test('a secret opens one key only, and that of a deleted key opens none again', async () => {
  const { save, groupId, client, keys } = await openKeys()
  const { id } = await save({ name: 'alice', secret, groupId })
  await expect(save({ name: 'bob', secret, groupId })).rejects.toThrow('has the secret of key "alice"')
  await client.apiKey.update({ where: { id }, data: { deletedMark: id } })
  await expect(save({ name: 'bob', secret, groupId })).rejects.toThrow('has the secret of the deleted key "alice"')
  await keys.load()
  expect(keys.find(secret)).toBeUndefined()
  // The name is free.
  expect((await save({ name: 'alice', secret: 'sk-other-0123456789', groupId })).id).not.toBe(id)
})

test('a new key without secret or group is refused by name', async () => {
  const { save, groupId } = await openKeys()
  await expect(save({ name: 'half', groupId })).rejects.toThrow('key "half" is new and needs secret and group')
  await expect(save({ name: 'half', secret })).rejects.toThrow('key "half" is new and needs secret and group')
})

test('a key knows when its owner is disabled or gone', async () => {
  const { save, groupId, users, write, client, keys } = await openKeys()
  const userId = await write((tx) => users.saveAdmin(tx, { username: 'ada', password: 'correct horse' }))
  const { id } = await save({ name: 'alice', secret, groupId, userId })
  expect(keys.byId(id)).toMatchObject({ userId, ownerEnabled: true })
  for (const data of [{ enabled: false }, { enabled: true, deletedMark: userId }]) {
    await client.user.update({ where: { id: userId }, data })
    await keys.load()
    expect(keys.byId(id)?.ownerEnabled).toBe(false)
  }
})

test('a key that was changed is read alone, and what it was opened with before opens it no more', async () => {
  const { save, groupId, keys, write } = await openKeys()
  const { id } = await save({ name: 'alice', secret, groupId })
  const bob = await save({ name: 'bob', secret: 'sk-bob-0123456789abcdef', groupId })
  await write((tx) => keys.rotate(tx, id, 'sk-alice-new-0123456789', new Date(Date.now() + 60_000)))
  await keys.load(id)
  expect(keys.find(secret)).toBe(keys.byId(id))
  expect(keys.find('sk-alice-new-0123456789')).toBe(keys.byId(id))
  await write((tx) => keys.remove(tx, id))
  await keys.load(id)
  expect([keys.byId(id), keys.find(secret), keys.find('sk-alice-new-0123456789')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(keys.byId(bob.id)).toBe(bob)
})
