import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkDeployment } from '../app/deployment.ts'
import type { Config } from '../config/config.ts'
import { loadMasterSecret } from '../config/master-secret.ts'
import { naming } from '../config/named-files.ts'
import { recordChange } from '../identity/audit.ts'
import { createPasswords } from '../identity/passwords.ts'
import { forgetTries } from '../identity/sign-in-tries.ts'
import { type Log, roomLog } from '../log.ts'
import { createRequestIds } from '../request-ids.ts'
import { openDatabase } from '../store/open-database.ts'
import { createSeal } from '../store/seal.ts'

/**
 * The command `admin reset NAME`: gives a user a fresh password, shown once, switches them on, lifts a lock and ends
 * their sessions. Works beside a running relay: it changes the database only. Throws with a message for people.
 */
export async function resetPassword(
  config: Config,
  log: Log,
  name: string,
  say: (text: string) => void,
  now: () => number = Date.now,
): Promise<void> {
  refuseWhereNoRelayWas(config)
  const seal = createSeal(loadMasterSecret(config.dataDir, config.masterSecret))
  const database = await openDatabase({ url: config.databaseUrl, log: roomLog(log, 'store') }).catch(
    naming('DATABASE_URL'),
  )
  try {
    await checkDeployment(database, seal)
    const password = randomBytes(15).toString('base64url')
    const passwordHash = await createPasswords().hash(password)
    const username = name.toLowerCase()
    // No process has this slot's millisecond: a person types.
    const id = createRequestIds(1023, now)()
    const role = await database.locked(['users'], async (tx) => {
      const user = await tx.user.findFirst({ where: { username, deletedMark: 0 } })
      if (!user) throw new Error(await unknownUser(username, tx.user))
      await tx.user.update({ where: { id: user.id }, data: { passwordHash, enabled: true, mustChangePassword: true } })
      await tx.session.updateMany({
        where: { userId: user.id, revokedAt: null },
        data: { revokedAt: new Date(now()) },
      })
      await forgetTries(tx, username)
      await recordChange(
        tx,
        { id: BigInt(id.key), atMs: id.atMs },
        { userId: 0, clientIp: '', userAgent: 'npm run admin', requestId: id.text },
        { action: 'admin reset', objectType: 'User', objectId: user.id, after: { password: 'set', enabled: true } },
      )
      return user.role
    })
    say(
      `The password of ${role === 'admin' ? 'administrator' : 'user'} "${username}" is now: ${password}\n` +
        'It is shown this once. Sign in with it: you are asked for another one first. All earlier sessions have ended.\n',
    )
  } finally {
    await database.close()
  }
}

/** A start would make a secret there; from the wrong folder that ends in a database that knows nobody. */
function refuseWhereNoRelayWas({ dataDir, masterSecret }: Config): void {
  if (masterSecret !== null || existsSync(join(dataDir, 'secrets.json'))) return
  throw new Error(
    `DATA_DIR: no relay has been started on ${resolve(dataDir)} yet. Run this where the relay runs, with the same settings.`,
  )
}

async function unknownUser(
  username: string,
  users: { findMany(query: object): Promise<{ username: string }[]> },
): Promise<string> {
  const known = await users.findMany({ where: { deletedMark: 0 }, orderBy: { id: 'asc' }, take: 20 })
  const names = known.map((user) => user.username).join(', ')
  return `There is no user "${username}". ${names ? `Known: ${names}.` : 'Nobody is set up yet: open the setup link that the start prints.'}`
}
