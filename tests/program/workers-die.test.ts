import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { askGraphql, signedIn } from '../scenarios/graphql-asking.ts'
import { ask } from '../scenarios/pools.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startProgram } from '../support/program.ts'

const key = 'sk-alice-0123456789abcdef'
const program = fileURLToPath(new URL('./relay-with-worker.mjs', import.meta.url))

/** The whole program in a process of its own: workers are threads of it, and nothing that ends one may end it. */
test.each(['hangs', 'dies', 'throws', 'hoards'])(
  'a worker that %s: the server goes on, tells who waits, and stops within five seconds while another one is under way',
  async (worker) => {
    const cwd = await mkdtemp(join(tmpdir(), 'relay-workers-'))
    onTestFinished(() => rm(cwd, { recursive: true, force: true }))
    const upstream = await createFakeUpstream()
    onTestFinished(() => upstream.close())
    const database = await newDatabaseAddress()
    onTestFinished(() => database.drop())
    const provision = {
      groups: [{ name: 'g' }],
      accounts: [
        { name: 'lost', url: upstream.url, secret: 'sk-upstream-1', groups: ['g'], priority: 1 },
        { name: 'good', url: upstream.url, secret: 'sk-upstream-2', groups: ['g'], priority: 2 },
      ],
      keys: [{ name: 'alice', secret: key, group: 'g' }],
    }
    await writeFile(join(cwd, 'provision.json'), JSON.stringify(provision))
    const env = {
      DATABASE_URL: database.url,
      PROVISION_FILE: 'provision.json',
      UPSTREAM_ALLOW: '127.0.0.0/8',
      DEFAULT_ADMIN_PASSWORD: 'correct horse battery',
      ...(engines === 'services' && { REDIS_URL: redisUrl }),
    }
    const started = startProgram(cwd, env, [worker], program)
    onTestFinished(async () => {
      started.signal('SIGTERM')
      await started.ended
    })
    const url = (await started.said(/listens on (http:\S+)/))[1]!
    const base = `${url}/claude-code`
    upstream.script(refusal(401, 'authentication_error'))
    expect((await ask(base, key)).status).toBe(200)
    const admin = await signedIn(url, 'admin', 'correct horse battery')
    const { data } = await askGraphql(url, '{ accounts { edges { node { id name } } } }', {}, admin)
    const { node } = data.accounts.edges.find((edge: { node: { name: string } }) => edge.node.name === 'lost')
    const probe = () =>
      askGraphql(
        url,
        `mutation { probeAccount(input: { id: "${node.id}" }) { ... on ProbeAccountSuccess { probe { ok status message } } } }`,
        {},
        admin,
      )
    // Twice: the first has left nothing behind that holds up the second.
    for (let turn = 0; turn < 2; turn++) {
      const told = probe()
      // While the worker is at it, and after it is gone.
      expect((await ask(base, key)).status).toBe(200)
      expect((await told).data.probeAccount.probe).toMatchObject({
        ok: false,
        status: null,
        message: expect.stringMatching(/./),
      })
      expect((await ask(base, key)).status).toBe(200)
      expect((await fetch(`${url}/health`)).status).toBe(200)
    }
    void probe().catch(() => null)
    // A stream is under way too: it is finished, and is not what the stop waits for.
    const stream = ask(base, key)
    expect((await stream).text).toMatch(/event: message_stop/)
    const startedMs = performance.now()
    started.signal('SIGTERM')
    expect(await started.ended).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(5000)
    expect(started.output()).not.toMatch(/uncaught exception|unhandled rejection/)
  },
  60_000,
)
