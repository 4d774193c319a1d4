import { rm } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { shortUsd } from '../../client/values/money.ts'
import { deferred } from '../support/deferred.ts'
import { answerDefault } from '../support/fake-message.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp } from '../support/relay-app.ts'

/** A person looks on: the upstream may take its time. */
const timers = { firstByteStreamMs: 20_000 }
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']

/** The built dashboard before the whole program: dist/client has to be there, and Debian's chromium. */
test('setup link, group, account, key, a request that appears, fills and settles, a restart, sign-out, sign-in', {
  timeout: 120_000,
}, async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  let relay = await startRelayApp({ keys: [], keepData: true, timers })
  onTestFinished(async () => {
    await relay.stop()
    await rm(relay.dataDir, { recursive: true, force: true })
  })
  const complaints: string[] = []
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  onTestFinished(() => browser.close())
  const page = await browser.newPage({ locale: 'en' })
  page.setDefaultTimeout(10_000)
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${relay.app.url}${relay.app.setupPath}`)
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
  await page.getByLabel('Secret *').fill('sk-ant-secret-of-console')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByText('Ready').waitFor()
  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByRole('button', { name: 'Create key' }).first().click()
  await page.getByLabel('Name *').fill('laptop')
  await page.getByLabel('Limit a day').fill('2.5')
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
  const [row] = await relay.rows()
  const cost = shortUsd(String(row?.['cost_nano']))
  await page.getByTestId('cost').getByText(cost).waitFor()
  await page.getByText(cost).nth(1).waitFor()

  // The server goes away and comes back: the page recovers, its totals are the server's.
  const port = new URL(relay.app.url).port
  await relay.stop()
  relay = await startRelayApp({ dataDir: relay.dataDir, keepData: true, keys: [], env: { PORT: port }, timers })
  await ask()
  await page.getByTestId('requests').getByText('2', { exact: true }).waitFor({ timeout: 30_000 })
  const rows = await relay.rows()
  const total = rows.reduce((sum, each) => sum + BigInt(String(each['cost_nano'])), 0n)
  await page.getByTestId('cost').getByText(shortUsd(total)).waitFor()
  complaints.length = 0

  await page.getByRole('button', { name: 'User menu' }).click()
  await page.getByText('Sign out').click()
  await page.waitForURL('**/signin**')
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password').fill('not this one at all')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').first().waitFor()
  await page.getByLabel('Password').fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Live requests' }).waitFor()
  // Signing in with a wrong password is told on the console as a matter of course.
  expect(complaints).toEqual([])
})
