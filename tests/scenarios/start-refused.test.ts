import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadMasterSecret } from '../../server/config/master-secret.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { listening } from '../support/listening.ts'
import { type RelayAppOptions, startRelayApp } from '../support/relay-app.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-refused-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** An app that is stopped with the test; its data stays. */
async function start(options: RelayAppOptions) {
  const relay = await startRelayApp({ ...options, keepData: true })
  onTestFinished(() => relay.stop())
  return relay
}

async function newDatabase(): Promise<string> {
  const { url, drop } = await newDatabaseAddress()
  onTestFinished(drop)
  return url
}

test('the master secret is made once, for its owner only, and found again', async () => {
  const folder = await newFolder()
  const made = loadMasterSecret(folder, null)
  expect(made.length).toBeGreaterThanOrEqual(32)
  expect((await stat(join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600)
  expect(loadMasterSecret(folder, null)).toEqual(made)
  expect(loadMasterSecret(await newFolder(), null)).not.toEqual(made)
})

test('a master secret from the environment goes before the file and is written nowhere', async () => {
  const folder = await newFolder()
  const given = 'a secret of at least thirty-two characters'
  expect(loadMasterSecret(folder, given).toString()).toBe(given)
  await expect(stat(join(folder, 'secrets.json'))).rejects.toThrow('ENOENT')
})

test.each(['', '{', '{}', '{"masterSecret":"short-s3cret"}', '{"masterSecret":7}'])(
  'a damaged secrets file stops the start, stays as it is, and nothing of it is shown: %s',
  async (text) => {
    const folder = await newFolder()
    await writeFile(join(folder, 'secrets.json'), text)
    expect(() => loadMasterSecret(folder, null)).toThrow(
      /^\S+secrets\.json does not hold a master secret of at least 32 characters\. Restore/,
    )
    expect(() => loadMasterSecret(folder, null)).not.toThrow('short-s3cret')
    expect(await readFile(join(folder, 'secrets.json'), 'utf8')).toBe(text)
  },
)

test('other secrets than those the database was set up with stop the start and say why', async () => {
  const DATABASE_URL = await newDatabase()
  const dataDir = await newFolder()
  const first = await startRelayApp({ dataDir, keepData: true, env: { DATABASE_URL } })
  await first.stop()
  const MASTER_SECRET = 'another secret of at least 32 characters'
  await expect(start({ dataDir, env: { DATABASE_URL, MASTER_SECRET } })).rejects.toThrow(
    /^The master secret is not the one this database was set up with \(fingerprint [0-9a-f]{16}, the database has [0-9a-f]{16}\)\. .*MASTER_SECRET/,
  )
  // The refused start gave everything back, and the right secret still opens it.
  await start({ dataDir, env: { DATABASE_URL } })
})

test('a port in use is named, and the refused start leaves the data folder free', async () => {
  const taken = await listening(createServer())
  onTestFinished(() => taken.close())
  const dataDir = await newFolder()
  const env = { DATABASE_URL: await newDatabase() }
  await expect(start({ dataDir, env: { ...env, PORT: String(taken.port) } })).rejects.toThrow(
    `Port ${taken.port} on 127.0.0.1 is in use by another program.`,
  )
  await start({ dataDir, env })
})

test('an address that this machine does not have is named as HOST', async () => {
  await expect(start({ dataDir: await newFolder(), env: { HOST: '203.0.113.7' } })).rejects.toThrow(
    'HOST 203.0.113.7 is not an address of this machine.',
  )
})

test.each([
  [{ DATABASE_URL: 'mysql://root:geheim@127.0.0.1:1/relay' }, /^DATABASE_URL: .*ECONNREFUSED/],
  [{ DATABASE_URL: 'file:/dev/null/relay.db' }, /^DATABASE_URL: E(EXIST|NOTDIR)/],
  [{ DATA_DIR: '/dev/null/data' }, /^DATA_DIR: ENOTDIR/],
  [
    { REDIS_URL: 'redis://:geheim@127.0.0.1:1/0' },
    /^REDIS_URL: Redis at 127\.0\.0\.1:1 is not reachable .*ECONNREFUSED/,
  ],
  [{ CA_FILE: '/etc/hostname' }, /^CA_FILE: \/etc\/hostname does not begin with a certificate in PEM$/],
])('what cannot be reached or read is named by its setting, without a password: %o', async (env, message) => {
  const failed = start({ dataDir: await newFolder(), env })
  await expect(failed).rejects.toThrow(message)
  await expect(failed).rejects.not.toThrow('geheim')
})

test('a database file that is none, and a data folder whose lock is not ours, are named with their settings', async () => {
  const dataDir = await newFolder()
  await writeFile(join(dataDir, 'relay.db'), 'Dear reader, this is not a database at all. '.repeat(200))
  const env = { DATABASE_URL: `file:${dataDir}/relay.db` }
  await expect(start({ dataDir, env })).rejects.toThrow(
    `DATABASE_URL: the SQLite file ${dataDir}/relay.db could not be opened (file is not a database)`,
  )
  const foreign = await newFolder()
  await mkdir(join(foreign, 'relay.lock'))
  await expect(start({ dataDir: foreign })).rejects.toThrow(
    `DATA_DIR: ${foreign}/relay.lock cannot be opened for writing: folder and file have to belong to the user`,
  )
})

test('a relay that listens everywhere tells an address that can be opened', async () => {
  const { app } = await start({ dataDir: await newFolder(), env: { HOST: '0.0.0.0' } })
  expect(app.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
})

test('a second process on one database is refused without Redis, and welcome with it', async () => {
  const env = { DATABASE_URL: await newDatabase(), MASTER_SECRET: 'one secret of at least 32 characters' }
  const alone = await startRelayApp({ dataDir: await newFolder(), keepData: true, env })
  await expect(start({ dataDir: await newFolder(), env })).rejects.toThrow(
    'Another relay process uses this database. Several processes need Redis between them: set REDIS_URL on all.',
  )
  await alone.stop()
  const shared = { ...env, ...(engines === 'services' && { REDIS_URL: redisUrl }) }
  await start({ dataDir: await newFolder(), env: shared })
  if (engines === 'services') await start({ dataDir: await newFolder(), env: shared })
})

test.runIf(engines === 'services').each(['mysql', 'file'])(
  'a process without Redis is refused beside one that has it, and the other way round (%s)',
  async (kind) => {
    const { url, drop } = await newDatabaseAddress(kind === 'mysql' ? 'services' : 'embedded')
    onTestFinished(drop)
    const env = { DATABASE_URL: url, MASTER_SECRET: 'one secret of at least 32 characters' }
    const shared = { ...env, REDIS_URL: redisUrl }
    const withRedis = await startRelayApp({ dataDir: await newFolder(), keepData: true, env: shared })
    await expect(start({ dataDir: await newFolder(), env })).rejects.toThrow(
      'Another relay process uses this database. Several processes need Redis between them: set REDIS_URL on all.',
    )
    await withRedis.stop()
    await start({ dataDir: await newFolder(), env })
    await expect(start({ dataDir: await newFolder(), env: shared })).rejects.toThrow(
      'A relay process without Redis uses this database. Several processes need Redis between them: set REDIS_URL on all.',
    )
  },
)
