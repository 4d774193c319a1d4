import { watch } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { createConnection } from 'mariadb'
import { expect, onTestFinished, test } from 'vitest'
import { accountWith, adminEnv, signedIn, turnOn } from '../scenarios/claude-stand.ts'
import { ask } from '../scenarios/pools.ts'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { createFakeClaude } from '../support/fake-claude.ts'
import { testKey } from '../support/relay-app.ts'
import { type RelayProcess, startRelayProcess } from '../support/relay-process.ts'

/** A vendor, and the way to start processes of one relay with one account whose access token has ended. */
async function place() {
  const claude = await createFakeClaude()
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-crash-'))
  const address = await newDatabaseAddress()
  const login = claude.issue()
  claude.revoke()
  const { secret: _, ...account } = accountWith(claude, login, -60_000)
  const file = {
    groups: [{ name: 'g' }],
    accounts: [{ name: 'a', groups: ['g'], ...account }],
    keys: [{ name: 'k', secret: testKey, group: 'g' }],
  }
  const started: RelayProcess[] = []
  onTestFinished(async () => {
    for (const one of started) await one.kill()
    await claude.close()
    await address.drop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const start = async (name: string) => {
    const folder = join(dataDir, name)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'provision.json'), JSON.stringify(file))
    const relay = await startRelayProcess({
      ...claude.env,
      ...adminEnv,
      DATA_DIR: folder,
      DATABASE_URL: address.url,
      MASTER_SECRET: 'a secret of thirty-two characters',
      PROVISION_FILE: join(folder, 'provision.json'),
      ...(engines === 'services' && { REDIS_URL: redisUrl }),
    })
    started.push(relay)
    await turnOn(await signedIn(new URL(relay.base).origin))
    return relay
  }
  return { claude, login, start, url: address.url, folder: (name: string) => join(dataDir, name) }
}

/** Keeps writers of credentials out, as another program would; returns how to let them in. */
async function holdDatabase(url: string): Promise<() => Promise<void>> {
  if (engines === 'embedded') {
    const other = new Sqlite(url.slice('file:'.length))
    other.exec('BEGIN IMMEDIATE')
    return async () => {
      other.exec('ROLLBACK')
      other.close()
    }
  }
  const { hostname: host, port, username: user, pathname } = new URL(url)
  const other = await createConnection({ host, port: Number(port), user, database: pathname.slice(1) })
  await other.query('START TRANSACTION')
  await other.query("SELECT name FROM settings WHERE name = 'lock:provision' FOR UPDATE")
  return () => other.end()
}

/** Processes are started, and a dead one's lock is waited for. */
const limit = { timeout: 60_000 }

const body = { body: { stream: false } }

test(
  'killed between the refresh and the database: the login is not lost, also where the old token is good once',
  limit,
  async () => {
    const { claude, start, url, folder } = await place()
    const first = await start('one')
    const kept = deferred<undefined>()
    let release = async () => {}
    claude.beforeAnswer = async () => {
      release = await holdDatabase(url)
      await mkdir(join(folder('one'), 'refreshed-logins'), { recursive: true })
      const watcher = watch(join(folder('one'), 'refreshed-logins'), (_event, name) => {
        if (name === null || name.endsWith('.new')) return
        watcher.close()
        kept.resolve(undefined)
      })
    }
    const answer = ask(first.base, testKey, body).catch(() => null)
    await kept.promise
    await first.kill()
    await answer
    await release()
    claude.beforeAnswer = async () => {}
    expect(claude.grants).toHaveLength(1)

    const second = await start('one')
    expect((await ask(second.base, testKey, body)).status).toBe(200)
    expect(claude.grants).toHaveLength(1)
    // The file still says what it said at first: the login that was renewed since stays.
    expect(await second.stop()).toBe(0)
    const third = await start('one')
    expect((await ask(third.base, testKey, body)).status).toBe(200)
    expect(claude.grants).toHaveLength(1)
    for (const relay of [first, second, third]) expect(relay.output()).not.toMatch(/sk-ant-o[ar]t01/)
  },
)

test(
  'killed while the vendor answers: the next start tries the same token, which a vendor may forgive',
  limit,
  async () => {
    const { claude, start } = await place()
    claude.forgiving = true
    const first = await start('one')
    const taken = deferred<undefined>()
    claude.beforeAnswer = async (exchange) => {
      taken.resolve(undefined)
      await exchange.hang()
    }
    const answer = ask(first.base, testKey, body).catch(() => null)
    await taken.promise
    await first.kill()
    await answer
    claude.beforeAnswer = async () => {}
    const second = await start('one')
    expect((await ask(second.base, testKey, body)).status).toBe(200)
    expect(claude.grants).toHaveLength(2)
  },
)

test.runIf(engines === 'services')(
  'two processes at the end of an access token: one refresh between them',
  limit,
  async () => {
    const { claude, start } = await place()
    const relays = [await start('one'), await start('two')]
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => ask(relays[index % 2]!.base, testKey, body)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(claude.grants).toHaveLength(1)
  },
)
