import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

/** The forms of Claude subscription accounts before canned answers. */
describe('Claude subscription accounts in Chromium', () => {
  const { open, complaints, server: serverNow } = openDashboard()

  async function openAdd(options: { height?: number; width?: number } = {}) {
    const page = await open('/accounts', { viewport: { width: options.width ?? 1440, height: options.height ?? 1000 } })
    await page.getByRole('button', { name: 'Add account' }).first().click()
    await page.getByLabel('Platform *').click()
    await page.locator('.t-select-option').filter({ hasText: 'Claude subscription' }).click()
    await page.getByLabel('Name *').fill('mine')
    return page
  }

  test('the notice is shown in full and must be ticked before the platform is turned on; turning off asks first', async () => {
    const server = serverNow()
    server.data.claude['enabled'] = false
    const page = await open('/accounts')
    const bar = page.getByTestId('claude-bar')
    await bar.getByText('Claude subscription accounts are off').waitFor()
    await page.getByRole('row').filter({ hasText: 'max-plan-tokyo' }).getByText('Platform off').waitFor()
    await bar.getByRole('button', { name: 'Turn on…' }).click()
    await page.getByText(String(server.data.claude['notice'])).waitFor()
    await page.getByRole('button', { name: 'Turn on', exact: true }).click()
    await page.getByText('Read the notice, then tick the box.').waitFor()
    expect(server.data.claude['enabled']).toBe(false)
    await page.getByText('I have read this and answer for it.').click()
    await page.getByRole('button', { name: 'Turn on', exact: true }).click()
    await bar.getByText('Notice acknowledged by admin').waitFor()
    await page.getByRole('row').filter({ hasText: 'max-plan-tokyo' }).getByText('Rate limited').waitFor()
    await bar.getByRole('button', { name: 'Turn off' }).click()
    await page.locator('.t-dialog').getByRole('button', { name: 'Turn off' }).click()
    await bar.getByText('Claude subscription accounts are off').waitFor()
    expect(complaints).toEqual([])
  })

  test('a Chinese administrator reads the notice in Chinese and in the words that are kept', async () => {
    const server = serverNow()
    server.data.claude['enabled'] = false
    const page = await open('/accounts', { locale: 'zh-CN' })
    await page.getByTestId('claude-bar').getByRole('button').click()
    await page.getByText('条款不允许任何人用它们转发他人的请求').waitFor()
    await page.getByText(String(server.data.claude['notice'])).waitFor()
  })

  test('who is no administrator is told that it is off, and cannot turn it on', async () => {
    const server = serverNow()
    server.data.claude['enabled'] = false
    server.data.user['role'] = 'USER'
    const page = await openAdd()
    const dialog = page.locator('.t-dialog')
    await dialog.getByText('An administrator can turn them on.').waitFor()
    expect(await page.getByRole('button', { name: /Turn o/ }).count()).toBe(0)
    expect(await dialog.getByText('Get the sign-in link').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a code: the page opens in a tab of its own, its address can be copied; a problem stands beside the field', async () => {
    const server = serverNow()
    const page = await openAdd()
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('Please fill this in').waitFor()
    expect(await page.getByLabel('Code *').getAttribute('aria-invalid')).toBe('true')
    await page.getByRole('button', { name: 'Get the sign-in link' }).click()
    const link = page.getByRole('link', { name: 'Open the sign-in page' })
    expect(await link.getAttribute('href')).toMatch(/^https:\/\/claude\.example\/oauth\/authorize\?code=true&/)
    expect(await link.getAttribute('target')).toBe('_blank')
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer')
    await page.getByRole('button', { name: 'Copy: Address of the sign-in page' }).waitFor()
    await page.getByText(/good for (10 m 00 s|9 m)/).waitFor()
    await page.getByLabel('Code *').fill('spent#state')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('was not accepted: It is spent. Begin again').waitFor()
    await page.getByLabel('Code *').fill(' fresh-code#state ')
    await page.getByLabel('Plan', { exact: true }).fill('max 20x')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('mine', { exact: true }).waitFor()
    expect(server.data.said.at(-1)).toMatchObject({
      platform: 'CLAUDE',
      login: { code: 'fresh-code#state' },
      plan: 'max 20x',
    })
    expect(server.data.said.at(-1)).not.toHaveProperty('secret')
    expect(complaints).toEqual([])
  })

  test('tokens, a setup token, and a credentials file that is read in the browser', async () => {
    const server = serverNow()
    const page = await openAdd()
    const way = (name: string) => page.locator('.t-radio-button').filter({ hasText: name })
    const create = page.getByRole('button', { name: 'Create', exact: true })
    await way('Credentials file').click()
    await page.getByLabel('Credentials file *').fill('nonsense')
    await create.click()
    await page.getByText('is not a JSON object').waitFor()
    const chooser = page.getByTestId('credentials-file')
    await chooser.setInputFiles({ name: 'big.json', mimeType: 'application/json', buffer: Buffer.alloc(70_000, 32) })
    await page.getByText('This is too large for a credentials file.').waitFor()
    const text = '{"claudeAiOauth":{"accessToken":"canary-of-a-file"}}'
    await chooser.setInputFiles({ name: '.credentials.json', mimeType: 'application/json', buffer: Buffer.from(text) })
    await page.getByText('.credentials.json', { exact: true }).waitFor()
    // Its name is shown, what it holds is not.
    expect(await page.content()).not.toContain('canary-of-a-file')
    await create.click()
    await page.getByText('mine', { exact: true }).waitFor()
    expect(server.data.said.at(-1)!['login']).toEqual({ credentialsFile: text })
    await page.locator('.t-dialog').getByRole('button', { name: 'Close' }).click()

    await page.getByRole('button', { name: 'More actions for max-plan-tokyo' }).click()
    await page.getByText('Sign in again').last().click()
    await way('Tokens').click()
    await page.getByLabel('Access token *').fill('access-canary')
    await page.getByLabel('Refresh token').fill('refresh-canary')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('max-plan-tokyo has a fresh login').waitFor()
    expect(server.data.said.at(-1)).toEqual({
      id: 'A2',
      login: { tokens: { accessToken: 'access-canary', refreshToken: 'refresh-canary' } },
    })
    await page.getByRole('row').filter({ hasText: 'old-team-account' }).getByText('Sign in again').click()
    await way('Setup token').click()
    await page.getByLabel('Setup token *').fill('setup-canary')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('old-team-account has a fresh login').waitFor()
    expect(server.data.said.at(-1)).toEqual({ id: 'A4', login: { setupToken: 'setup-canary' } })
    // Nothing of it stays in the page or its stores.
    const kept = await page.evaluate(() =>
      JSON.stringify([
        document.documentElement.outerHTML,
        Object.entries(localStorage),
        Object.entries(sessionStorage),
      ]),
    )
    expect(kept).not.toContain('canary')
    expect(complaints).toEqual([])
  })

  test('editing keeps the login unless another one is chosen, and the plan can be changed', async () => {
    const server = serverNow()
    const page = await open('/accounts')
    await page.getByRole('row').filter({ hasText: 'max-plan-tokyo' }).getByRole('button', { name: 'Edit' }).click()
    expect(await page.getByLabel('Plan', { exact: true }).inputValue()).toBe('max')
    await page.getByLabel('Plan', { exact: true }).fill('pro')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Claude subscription (pro)').waitFor()
    expect(server.data.said.at(-1)).toMatchObject({ id: 'A2', plan: 'pro' })
    expect(server.data.said.at(-1)).not.toHaveProperty('login')
    expect(complaints).toEqual([])
  })

  test('gauges stand in the list and with their history in the drawer, and move as they are told', async () => {
    const server = serverNow()
    const page = await open('/accounts', { viewport: { width: 1440, height: 1000 } })
    const row = page.getByRole('row').filter({ hasText: 'max-plan-tokyo' })
    await row.getByRole('progressbar', { name: 'max-plan-tokyo: 102 % of the limit for 5 hours used' }).waitFor()
    await row.getByText('78 %').waitFor()
    await page.getByRole('row').filter({ hasText: 'old-team-account' }).getByText('new window').waitFor()
    await page.getByRole('button', { name: 'max-plan-tokyo' }).first().click()
    const limits = page.getByTestId('limits')
    await limits.getByText('7 days, Sonnet').waitFor()
    await limits.getByText('Beyond the plan').waitFor()
    expect(await limits.locator('svg path').count()).toBe(3)
    const at = new Date().toISOString()
    const resetAt = new Date(Date.now() + 17_000_000).toISOString()
    const ready = { name: 'READY', since: at, until: null, nextProbeAt: null, reason: '', models: [] }
    await expect.poll(() => server.data.listening()).toBeGreaterThan(1)
    const limitGauges = [{ window: '5h', status: 'allowed', utilization: 0.03, resetAt, at }]
    const change = { id: 'A2', name: 'max-plan-tokyo', enabled: true, inFlight: 0, state: ready, steps: [] }
    server.data.push({ account: { ...change, limitGauges } })
    await limits.getByText('3 %').waitFor()
    expect(await limits.locator('li').count()).toBe(1)
    expect(complaints).toEqual([])
  })
})
