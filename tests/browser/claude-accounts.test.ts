import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { createFakeClaude } from '../support/fake-claude.ts'
import { startRelayProcess } from '../support/relay-process.ts'

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']
const password = 'correct horse battery'
const key = 'sk-test-0123456789abcdef'
const resetS = String(Math.floor(Date.now() / 1000) + 7200)
const limits = (share: string) => ({
  'anthropic-ratelimit-unified-5h-status': 'allowed',
  'anthropic-ratelimit-unified-5h-utilization': share,
  'anthropic-ratelimit-unified-5h-reset': resetS,
  'anthropic-ratelimit-unified-7d-utilization': '0.12',
})

/** The built dashboard before the whole program and an emulated vendor: dist/client has to be there, and Debian's chromium. */
test('Claude accounts: turned on, added by code, ready, a gauge that comes with a request, and signed in again when the login is over', {
  timeout: 120_000,
}, async () => {
  const claude = await createFakeClaude()
  onTestFinished(() => claude.close())
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-browser-'))
  const file = join(dataDir, 'provision.json')
  await writeFile(
    file,
    JSON.stringify({ groups: [{ name: 'team' }], keys: [{ name: 'k', secret: key, group: 'team' }] }),
  )
  const relay = await startRelayProcess({
    DATA_DIR: dataDir,
    PROVISION_FILE: file,
    DEFAULT_ADMIN_PASSWORD: password,
    ...claude.env,
  })
  onTestFinished(async () => {
    await relay.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  onTestFinished(() => browser.close())
  const page = await browser.newPage({ locale: 'en', viewport: { width: 1440, height: 1000 } })
  page.setDefaultTimeout(15_000)
  const complaints: string[] = []
  let loads = 0
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('load', () => loads++)
  const ask = async () => {
    const answer = await fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }),
    })
    await answer.text()
    return answer.status
  }
  /** What a person does at the vendor: opens the link in a tab, signs in, copies what is shown. */
  const code = async () => {
    await page.getByRole('button', { name: /Get (the sign-in|another) link/ }).click()
    const href = await page.getByRole('link', { name: 'Open the sign-in page' }).getAttribute('href')
    return claude.signIn(href ?? '')
  }

  await page.goto(`${new URL(relay.base).origin}/accounts`)
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Accounts' }).waitFor()
  complaints.length = 0

  // Turned on, out of the form that needs it.
  await page.getByRole('button', { name: 'Add account' }).first().click()
  await page.getByLabel('Platform *').click()
  await page.locator('.t-select-option').filter({ hasText: 'Claude subscription' }).click()
  await page.getByTestId('claude-bar').getByRole('button', { name: 'Turn on…' }).click()
  await page.getByText('do not let anybody route the requests of other people through them').waitFor()
  await page.getByText('I have read this and answer for it.').click()
  await page.getByRole('button', { name: 'Turn on', exact: true }).click()

  // Added by code; one that was altered is refused beside its field.
  await page.getByLabel('Name *').fill('mine')
  await page.getByLabel('Base URL *').fill(claude.url)
  await page.getByLabel('Code *').fill((await code()).replace(/#.*/, `#${'x'.repeat(43)}`))
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByText('belongs to no sign-in that you began').waitFor()
  expect(claude.grants).toEqual([])
  await page.getByLabel('Code *').fill(await code())
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  const row = page.getByRole('row').filter({ hasText: 'mine' })
  await page.getByText(/^mine responded in/).waitFor()
  await page.locator('.t-dialog').getByRole('button', { name: 'Close' }).click()
  await row.getByText('Ready').waitFor()
  await page.getByTestId('claude-bar').getByText('Notice acknowledged by admin').waitFor()
  expect(claude.grants).toHaveLength(1)

  // Its gauge comes with its first answer, and moves with the next.
  expect(await page.getByRole('progressbar').count()).toBe(0)
  claude.limits = limits('0.42')
  expect(await ask()).toBe(200)
  await row.getByText('42 %').waitFor()
  await row.getByText('12 %').waitFor()
  claude.limits = limits('0.97')
  expect(await ask()).toBe(200)
  await row.getByText('97 %').waitFor()
  await page.getByRole('button', { name: 'mine', exact: true }).click()
  await page.getByTestId('limits').getByText('5 hours').waitFor()
  await page.locator('.t-drawer__close-btn').click()

  // The vendor ends the login; the row says so and leads back.
  claude.takesTokens = false
  expect(await ask()).toBe(503)
  await row.getByText('Sign-in required').waitFor()
  claude.takesTokens = true
  await row.getByRole('button', { name: 'Sign in again' }).click()
  await page.getByLabel('Code *').fill(await code())
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('mine has a fresh login').waitFor()
  await row.getByText('Ready').waitFor()
  expect(await ask()).toBe(200)

  expect(loads).toBe(1)
  expect(complaints).toEqual([])
  for (const { accessToken, refreshToken } of claude.issued) {
    expect(await page.content()).not.toContain(accessToken)
    expect(relay.output()).not.toContain(accessToken)
    expect(relay.output()).not.toContain(refreshToken)
  }
})
