import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { shortUsd } from '../../client/values/money/money.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { deferred, gate } from '../support/deferred.ts'
import { silentLog } from '../support/engines.ts'
import { answerDefault, messageEvents, usageOf } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayProcess } from '../support/relay-process.ts'

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']

/** The built dashboard before the whole program: dist/client has to be there, and Debian's chromium. */
test('setup link, group, account, key, a request that appears, fills and settles, kill -9 under a stream, sign-out, sign-in', {
  timeout: 120_000,
}, async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-browser-'))
  let relay = await startRelayProcess({ DATA_DIR: dataDir })
  onTestFinished(async () => {
    await relay.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const complaints: string[] = []
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  onTestFinished(() => browser.close())
  const page = await browser.newPage({ locale: 'en' })
  page.setDefaultTimeout(30_000)
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(/^ {2}(http\S+\/setup\?token=\S+)$/m.exec(relay.output())?.[1] ?? 'no link was printed')
  await page.getByLabel('Password *', { exact: true }).fill('correct horse battery')
  await page.getByLabel('Repeat the password').fill('correct horse battery')
  await page.getByRole('button', { name: 'Create administrator' }).click()
  await page.waitForURL('**/groups')
  await page.getByRole('button', { name: 'Create group' }).first().click()
  await page.getByLabel('Name *').fill('team')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByRole('cell', { name: 'team admin' }).waitFor()
  await page.getByRole('link', { name: 'Accounts' }).click()
  await page.getByRole('button', { name: 'Add account' }).first().click()
  await page.getByLabel('Name *').fill('console')
  await page.getByLabel('Base URL *').fill(upstream.url)
  await page.getByLabel('Upstream API key *').fill('sk-ant-secret-of-console')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  // It is tested at once, and no longer called untested.
  await page.getByText(/^console responded in/).waitFor()
  await page.locator('.t-dialog').getByRole('button', { name: 'Close' }).click()
  await page.getByRole('cell', { name: /Ready/ }).waitFor()
  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByRole('button', { name: 'Create key' }).first().click()
  await page.getByLabel('Name *').fill('laptop')
  await page.getByLabel('Daily limit').fill('2.5')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  const settings = await page.getByText('export ANTHROPIC_AUTH_TOKEN').textContent()
  const secret = /sk-[\w-]{20,}/.exec(settings ?? '')?.[0] ?? ''
  expect(settings).toContain(`ANTHROPIC_BASE_URL='${relay.base}'`)
  await page.getByRole('button', { name: 'I have stored it' }).click()
  await page.getByText('of $2.50').waitFor()
  await page.reload()
  await page.getByText('of $2.50').waitFor()
  await page.getByRole('link', { name: 'Live' }).click()
  await page.getByTestId('cost').getByText('$0.00').waitFor()

  // Without a reload: a request appears, fills, and settles with its cost.
  const finish = deferred<void>()
  upstream.script(async (exchange) => {
    await finish.promise
    await answerDefault(exchange, 5)
  })
  const ask = async () => {
    const answer = await fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'claude-opus-5-5',
        max_tokens: 9,
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    })
    return answer.text()
  }
  const answer = ask()
  await page.getByText('claude-opus-5-5').first().waitFor()
  finish.resolve()
  expect(await answer).toContain('message_stop')
  await page.getByTestId('requests').getByText('1', { exact: true }).waitFor()
  const database = await openDatabase({ url: `file:${join(dataDir, 'relay.db')}`, log: silentLog })
  onTestFinished(() => database.close())
  // The ledger is written in batches, behind the events: what is waited for is that it catches up.
  const sql = async () => {
    const [[requests, cost] = []] = await database.select('SELECT COUNT(*), SUM(`cost_nano`) FROM `logs`')
    return { requests: Number(requests), cost: String(cost ?? 0) }
  }
  const inSql = async () => {
    const { requests, cost } = await sql()
    return { requests: String(requests), cost: shortUsd(cost) }
  }
  const first = await page.getByTestId('cost').textContent()
  await expect.poll(async () => (await inSql()).cost).toBe(first)
  await page
    .getByTestId('settled')
    .getByText(first ?? '')
    .waitFor()

  // The server is killed while a stream runs, and started again on the same data.
  const never = gate()
  onTestFinished(never.open)
  upstream.script(async (exchange) => {
    const tokens = usageOf(exchange.request.body.length, 1)
    await exchange.sse(messageEvents('claude-opus-5-5', tokens, 1, 3).slice(0, 5), { end: false })
    await never.passed
  })
  const broken = ask().then(
    () => 'answered',
    () => 'broken off',
  )
  await page.getByTestId('running').getByText('claude-opus-5-5').waitFor()
  await upstream.arrived(1)
  // Its first tokens are told; they must not be lost with the process.
  await page
    .getByTestId('running')
    .locator('td')
    .filter({ hasText: /^[1-9][\d,]* \/ \d+$/ })
    .waitFor()
  await relay.kill()
  expect(await broken).toBe('broken off')
  await page.getByText('Reconnecting').waitFor()
  complaints.length = 0
  relay = await startRelayProcess({ DATA_DIR: dataDir, PORT: new URL(relay.base).port })
  const settled = page.getByTestId('settled').locator('tbody tr')
  await settled.filter({ hasText: 'Interrupted' }).waitFor({ timeout: 30_000 })
  expect(await page.getByTestId('running').count()).toBe(0)
  await page.getByText('Reconnecting').waitFor({ state: 'detached' })

  // Nothing is counted twice and nothing is lost: page, server and SQL say the same.
  const shown = async () => ({
    requests: await page.getByTestId('requests').textContent(),
    cost: await page.getByTestId('cost').textContent(),
  })
  await page.getByTestId('requests').getByText('2', { exact: true }).waitFor()
  expect(await shown()).toEqual(await inSql())
  await ask()
  await page.getByTestId('requests').getByText('3', { exact: true }).waitFor()
  // The figures and the rows come by two subscriptions.
  await expect.poll(() => settled.count()).toBe(3)
  await expect.poll(inSql).toEqual(await shown())
  const answered = await serverTotals(new URL(relay.base).origin, 'correct horse battery')
  expect(answered).toEqual(await sql())
  complaints.length = 0

  // The upstream refuses its credential: the account says so without a reload, why, and what a person may do.
  await page.getByRole('link', { name: 'Accounts' }).click()
  await page.getByRole('cell', { name: /Ready/ }).waitFor()
  upstream.script(refusal(401, 'authentication_error'))
  await ask()
  await page.getByRole('cell', { name: /Key rejected/ }).waitFor()
  await page.getByRole('button', { name: 'console', exact: true }).click()
  const timeline = page.getByTestId('timeline')

  await timeline.getByText('401 authentication_error').waitFor()
  await timeline.getByText('by a request').waitFor()
  await page.locator('.t-drawer').getByRole('button', { name: 'Reset state' }).click()
  await timeline.getByText('by a person').waitFor()
  await page.getByText('It is ready').waitFor()
  // Nothing runs any more: that too is told, not asked for.
  await page.getByTestId('in-flight').getByText('0', { exact: true }).waitFor()
  await page.locator('.t-drawer__close-btn').click()

  await page.getByRole('button', { name: 'User menu' }).click()
  await page.getByText('Sign out').click()
  await page.waitForURL('**/signin**')
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password').fill('not this one at all')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').first().waitFor()
  await page.getByLabel('Password').fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Accounts' }).waitFor()
  // Signing in with a wrong password is told on the console as a matter of course.
  expect(complaints).toEqual([])
})

/** What the server itself says of today, asked without a page. */
async function serverTotals(origin: string, password: string): Promise<{ requests: number; cost: string }> {
  const post = async (query: string, variables: object, token?: string) => {
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: the test reads what it asked for
    return ((await response.json()) as { data: any }).data
  }
  const signIn =
    'mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignInSuccess { session { accessToken } } } }'
  const { accessToken } = (await post(signIn, { input: { username: 'admin', password } })).signIn.session
  const hour = 3_600_000
  const range = { from: new Date(Date.now() - 24 * hour), to: new Date(Date.now() + hour) }
  const query = 'query ($range: RangeInput!) { usage(range: $range) { totals { requests cost } } }'
  return (await post(query, { range }, accessToken)).usage.totals
}
