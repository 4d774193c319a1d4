import { verify } from '@node-rs/argon2'
import { expect, test } from 'vitest'
import { createPasswords } from '../../server/identity/passwords.ts'
import type { AdminDraft } from '../../server/identity/users.ts'
import { openNouns } from '../support/nouns.ts'

async function openUsers() {
  const { users, write, client } = await openNouns()
  return {
    client,
    async save(draft: AdminDraft) {
      const id = await write((tx) => users.saveAdmin(tx, draft))
      return client.user.findUniqueOrThrow({ where: { id } })
    },
  }
}

test('a password is kept as argon2id, unless a test says otherwise with 19 MiB and two passes', async () => {
  const { save } = await openUsers()
  const { passwordHash, role, enabled } = await save({ username: 'ada', password: 'correct horse' })
  expect(passwordHash).toMatch(/^\$argon2id\$v=19\$/)
  expect(await verify(passwordHash, 'correct horse')).toBe(true)
  expect(await createPasswords().hash('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect({ role, enabled }).toEqual({ role: 'admin', enabled: true })
})

test('names and e-mail addresses are one in any letter case', async () => {
  const { save, client } = await openUsers()
  const first = await save({ username: 'Ada', password: 'correct horse', email: 'Ada@Example.COM' })
  expect(first).toMatchObject({ username: 'ada', email: 'ada@example.com' })
  expect((await save({ username: 'ADA' })).id).toBe(first.id)
  expect(await client.user.count()).toBe(1)
})

test('a password that is right already keeps its hash, another one gets a new hash', async () => {
  const { save } = await openUsers()
  const { passwordHash } = await save({ username: 'ada', password: 'correct horse' })
  expect((await save({ username: 'ada', password: 'correct horse' })).passwordHash).toBe(passwordHash)
  expect((await save({ username: 'ada' })).passwordHash).toBe(passwordHash)
  const changed = (await save({ username: 'ada', password: 'battery staple' })).passwordHash
  expect(await verify(changed, 'battery staple')).toBe(true)
})

test('the e-mail address stays when absent and goes when null', async () => {
  const { save } = await openUsers()
  await save({ username: 'ada', password: 'correct horse', email: 'ada@example.com' })
  expect((await save({ username: 'ada' })).email).toBe('ada@example.com')
  expect((await save({ username: 'ada', email: null })).email).toBeNull()
})

test('an administrator named by the file is one again, whatever happened to the account since', async () => {
  const { save, client } = await openUsers()
  const { id } = await save({ username: 'ada', password: 'correct horse' })
  await client.user.update({ where: { id }, data: { role: 'user', enabled: false } })
  expect(await save({ username: 'ada' })).toMatchObject({ id, role: 'admin', enabled: true })
})

test('a new administrator without a password, and an e-mail address of somebody else, are refused', async () => {
  const { save } = await openUsers()
  await expect(save({ username: 'ada' })).rejects.toThrow('administrator "ada" is new and needs a password')
  await save({ username: 'ada', password: 'correct horse', email: 'ada@example.com' })
  await expect(save({ username: 'bob', password: 'correct horse', email: 'ADA@example.com' })).rejects.toThrow(
    'the e-mail address belongs to user "ada" already',
  )
})
