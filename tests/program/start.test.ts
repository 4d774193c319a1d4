import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../server/store/open-database.ts'
import { askGraphql, signedIn } from '../scenarios/graphql-asking.ts'
import { gate } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl, silentLog } from '../support/engines.ts'
import { messageEvents, usageOf } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { listening } from '../support/listening.ts'
import { type Program, startProgram } from '../support/program.ts'

const key = 'sk-alice-0123456789abcdef'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-start-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A program that is ended with the test at the latest. */
function start(cwd: string, env: Record<string, string>, ...args: string[]): Program {
  const program = startProgram(cwd, env, args)
  onTestFinished(async () => {
    program.signal('SIGTERM')
    await program.ended
  })
  return program
}

const urlOf = async (program: Program): Promise<string> => (await program.said(/listens on (http:\S+)/))[1]!

const ask = (base: string, secret = key) =>
  fetch(`${base}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'claude-opus-5-5',
      max_tokens: 100,
      stream: true,
      messages: [{ role: 'user', content: 'hello' }],
    }),
  })

test('with nothing set it starts, keeps its data for itself, and says what to do next; a second one is refused', async () => {
  const cwd = await newFolder()
  const first = start(cwd, {})
  const url = await urlOf(first)
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
  await first.said(/Next step: there is no upstream account yet/)
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect((await stat(join(cwd, 'data'))).mode & 0o777).toBe(0o700)
  expect((await stat(join(cwd, 'data', 'secrets.json'))).mode & 0o777).toBe(0o600)

  const second = start(cwd, {})
  expect(await second.ended).toBe(1)
  expect(second.output()).toMatch(/^the data folder \S+ is in use by process \d+ on \S+; stop it, or set DATA_DIR/)
  expect(second.output()).not.toContain('    at ')

  first.signal('SIGINT')
  expect(await first.ended).toBe(0)
  expect(await readdir(join(cwd, 'data'))).not.toContain('relay.pid')
})

test('fault 45: SIGTERM lets a stream finish and ends with exit code 0; the next start goes on with the data', async () => {
  const cwd = await newFolder()
  const database = await newDatabaseAddress()
  const upstream = await createFakeUpstream()
  onTestFinished(async () => {
    await upstream.close()
    await database.drop()
  })
  const provision = {
    groups: [{ name: 'g' }],
    accounts: [{ name: 'one', url: upstream.url, secret: 'sk-upstream-1', groups: ['g'] }],
    keys: [{ name: 'alice', secret: key, group: 'g' }],
  }
  await writeFile(join(cwd, 'provision.json'), JSON.stringify(provision))
  await writeFile(join(cwd, '.env'), 'UPSTREAM_ALLOW=127.0.0.0/8\n')
  const env: Record<string, string> = { DATABASE_URL: database.url }
  if (engines === 'services') env['REDIS_URL'] = redisUrl

  const first = start(cwd, { ...env, PROVISION_FILE: 'provision.json' })
  const url = await urlOf(first)
  await first.said(/ANTHROPIC_BASE_URL=http:\S+\/claude-code/)
  const finish = gate()
  upstream.script(async (exchange) => {
    const tokens = usageOf(exchange.request.body.length, 0)
    const events = messageEvents('claude-opus-5-5', tokens, 0, 3)
    await exchange.sse(events.slice(0, 4), { end: false })
    await finish.passed
    await exchange.sse(events.slice(4))
  })
  const running = await ask(`${url}/claude-code`)
  expect(running.status).toBe(200)
  first.signal('SIGTERM')
  await untilReady(url, 503)
  expect((await fetch(`${url}/health`)).status).toBe(200)
  finish.open()
  const text = await running.text()
  expect(text).toContain('event: message_stop')
  expect(text).not.toContain('event: error')
  expect(await first.ended).toBe(0)

  const second = start(cwd, env)
  expect((await ask(`${await urlOf(second)}/claude-code`)).status).toBe(200)
  second.signal('SIGTERM')
  expect(await second.ended).toBe(0)
  const reopened = await openDatabase({ url: database.url, log: silentLog })
  expect(await reopened.client.log.findMany({ select: { outcome: true } })).toEqual([
    { outcome: 'completed' },
    { outcome: 'completed' },
  ])
  await reopened.close()
})

/** Asks until the answer is there: a signal takes its time to arrive. */
async function untilReady(url: string, status: number): Promise<void> {
  while ((await fetch(`${url}/ready`)).status !== status);
}

test('wrong settings are listed all at once, nothing is made, and the exit code is 1', async () => {
  const cwd = await newFolder()
  const program = start(cwd, { PORT: 'eighty', TIME_ZONE: 'Europe/Atlantis', LOG_LEVEL: 'loud' })
  expect(await program.ended).toBe(1)
  const [title, ...problems] = program.output().trim().split('\n')
  expect(title).toBe('The settings are wrong:')
  expect(problems.map((line) => /^ {2}- (\w+) /.exec(line)?.[1])).toEqual(['PORT', 'TIME_ZONE', 'LOG_LEVEL'])
  expect(await readdir(cwd)).toEqual([])
})

test('a wrong provisioning file is told field by field, a port in use and an unknown command by one line', async () => {
  const cwd = await newFolder()
  await writeFile(join(cwd, 'provision.json'), JSON.stringify({ keys: [{ name: 'a', limit: 1 }], groups: {} }))
  const taken = await listening(createServer())
  onTestFinished(() => taken.close())
  const wrongFile = start(cwd, { PROVISION_FILE: 'provision.json' })
  expect(await wrongFile.ended).toBe(1)
  expect(wrongFile.output()).toBe(
    'PROVISION_FILE: the provisioning file is wrong:\n  - groups: must be a list\n  - keys[0].limit: is not a field of this format\n',
  )
  const busyPort = start(cwd, { PORT: String(taken.port), LOG_LEVEL: 'warn' })
  expect(await busyPort.ended).toBe(1)
  expect(busyPort.output()).toBe(
    `Port ${taken.port} on 127.0.0.1 is in use by another program. Stop it, or set PORT to another port (0 takes any free one).\n`,
  )
  const unknown = start(cwd, {}, 'serve')
  expect(await unknown.ended).toBe(2)
  expect(unknown.output()).toBe('There is no command "serve". Known: start, demo, admin. --help says more.\n')
})

test('the demo needs nothing, serves the line it prints, sums its ledger up and stops', async () => {
  const cwd = await newFolder()
  const demo = start(cwd, {}, 'demo')
  const [, base, secret] = await demo.said(/curl -N (\S+)\/v1\/messages -H 'authorization: Bearer (\S+)'/)
  const answer = await ask(base!, secret)
  expect(await answer.text()).toContain('event: message_stop')
  demo.signal('SIGINT')
  expect(await demo.ended).toBe(0)
  expect(demo.output()).toMatch(
    /Ledger so far:\n {2}claude-opus-5-5 +\d+ requests, 0 failed, \d+ tokens out, \$0\.\d{4}\n/,
  )
  expect(await readdir(cwd)).toEqual(['data-demo'])
})

test('the built program finds the file of its worker: an account that is out is probed, and maintenance runs', async () => {
  const cwd = await newFolder()
  const database = await newDatabaseAddress()
  const upstream = await createFakeUpstream()
  onTestFinished(async () => {
    await upstream.close()
    await database.drop()
  })
  const provision = {
    groups: [{ name: 'g' }],
    accounts: [{ name: 'one', url: upstream.url, secret: 'sk-upstream-1', groups: ['g'] }],
    keys: [{ name: 'alice', secret: key, group: 'g' }],
  }
  await writeFile(join(cwd, 'provision.json'), JSON.stringify(provision))
  const env: Record<string, string> = {
    DATABASE_URL: database.url,
    PROVISION_FILE: 'provision.json',
    UPSTREAM_ALLOW: '127.0.0.0/8',
    DEFAULT_ADMIN_PASSWORD: 'correct horse battery',
  }
  if (engines === 'services') env['REDIS_URL'] = redisUrl
  const program = start(cwd, env)
  const url = await urlOf(program)
  upstream.script(refusal(401, 'authentication_error'))
  expect((await ask(`${url}/claude-code`)).status).toBe(503)
  const admin = await signedIn(url, 'admin', 'correct horse battery')
  const { data } = await askGraphql(url, '{ accounts { edges { node { id } } } }', {}, admin)
  const query = `mutation { probeAccount(input: { id: "${data.accounts.edges[0].node.id}" }) { ... on ProbeAccountSuccess { probe { ok message } } } }`
  expect((await askGraphql(url, query, {}, admin)).data.probeAccount.probe).toEqual({
    ok: true,
    message: 'It answered.',
  })
  await askGraphql(url, 'mutation { runJob(input: { name: DRIFT }) { __typename } }', {}, admin)
  const jobs = async () => (await askGraphql(url, '{ jobs { name lastRun { outcome message } } }', {}, admin)).data.jobs
  await expect
    .poll(jobs, { timeout: 15_000 })
    .toContainEqual({ name: 'DRIFT', lastRun: { outcome: 'DONE', message: 'ledger and rollups agree' } })
  program.signal('SIGTERM')
  expect(await program.ended).toBe(0)
})
