import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { resetPassword } from '../../server/cli/admin.ts'
import { readConfig } from '../../server/config/config.ts'
import { loadMasterSecret } from '../../server/config/master-secret.ts'
import { createPasswords } from '../../server/identity/passwords.ts'
import { createUsers } from '../../server/identity/users.ts'
import { createLog } from '../../server/log.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { cheapPasswords } from '../support/cheap-passwords.ts'
import { silentLog } from '../support/engines.ts'

test('`admin reset NAME` shows a fresh password once, switches the user on, lifts the lock and ends the sessions', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-admin-'))
  const { config } = readConfig({ DATA_DIR: dataDir, TIME_ZONE: 'UTC' }, { values: {}, problems: [] })
  loadMasterSecret(dataDir, null)
  const database = await openDatabase({ url: config.databaseUrl, log: silentLog })
  onTestFinished(async () => {
    await database.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const { client } = database
  const userId = await database.locked(['settings'], (tx) =>
    createUsers({ passwords: cheapPasswords }).saveAdmin(tx, { username: 'ada', password: 'forgotten password' }),
  )
  await client.user.update({ where: { id: userId }, data: { enabled: false } })
  await client.session.create({
    data: { userId, expiresAt: new Date(Date.now() + 60_000), clientIp: '', userAgent: '' },
  })
  await client.signInTry.create({ data: { subject: 'user:ada 192.0.2.1', tries: 10, firstAtMs: BigInt(Date.now()) } })

  const said: string[] = []
  const lines: string[] = []
  const log = createLog({ level: 'trace', to: { write: (line: string) => void lines.push(line) } })
  await resetPassword(config, log, 'Ada', (text) => said.push(text))
  const password = /is now: (\S+)\n/.exec(said.join(''))?.[1] ?? ''
  const user = await client.user.findFirstOrThrow()
  expect(await createPasswords().matches(user.passwordHash, password)).toBe(true)
  expect(user.enabled).toBe(true)
  expect(await client.session.count({ where: { revokedAt: null } })).toBe(0)
  expect(await client.signInTry.count()).toBe(0)
  const rows = await client.apiLog.findMany()
  expect(rows.map(({ action, objectId }) => [action, objectId])).toEqual([['admin reset', userId]])
  expect(rows[0]?.after + lines.join('')).not.toContain(password)

  await expect(resetPassword(config, log, 'bob', () => {})).rejects.toThrow('There is no user "bob". Known: ada.')
})

test('`admin` in a folder where no relay was started makes nothing there, and says where it belongs', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-admin-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const { config } = readConfig({ DATA_DIR: dataDir, TIME_ZONE: 'UTC' }, { values: {}, problems: [] })
  await expect(resetPassword(config, createLog({ level: 'silent' }), 'ada', () => {})).rejects.toThrow(
    `DATA_DIR: no relay has been started on ${dataDir} yet. Run this where the relay runs, with the same settings.`,
  )
  expect(await readdir(dataDir)).toEqual([])
})
