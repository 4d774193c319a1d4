import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

describe('forms and figures of single objects in Chromium', () => {
  const { open, complaints, server: serverNow } = openDashboard()
  const said = () => serverNow().data.said.at(-1)

  test('a vendor fills in address, format, header and model names, and the form says where requests go', async () => {
    const page = await open('/accounts')
    await page.getByRole('button', { name: 'Add account' }).first().click()
    await page.getByText('Requests go to https://api.anthropic.com/v1/messages').waitFor()
    const choose = async (vendor: string) => {
      await page.getByLabel('Vendor').click()
      await page.locator('.t-select-option').filter({ hasText: vendor }).click()
    }
    await choose('GLM')
    await page.getByText('Requests go to https://glm.example/api/anthropic/v1/messages').waitFor()
    expect(await page.getByLabel('Model mapping').inputValue()).toBe('claude-* = glm-5.3')
    await choose('Ollama')
    await page.getByText('an administrator has to allow its address under Networks').waitFor()
    await choose('Azure OpenAI')
    await page.getByText('Requests go to https://resource.example/openai/v1/chat/completions').waitFor()
    await page.getByText('What the upstream accepts').click()
    const echoes = page.getByRole('switch', { name: 'Send earlier thinking back' })
    expect(await echoes.getAttribute('aria-checked')).toBe('true')
    await page.getByRole('switch', { name: 'Images' }).click()
    await page.getByText('Timeouts, headers, reserve').click()
    await page.getByLabel('Longest silence (s)').fill('90')
    await page.getByRole('button', { name: 'Add a header' }).click()
    await page.getByPlaceholder('Name, such as X-Team').fill('X-Team')
    await page.getByLabel('Name *').fill('azure')
    await page.getByLabel('Upstream API key *').fill('secret')
    const create = page.getByRole('button', { name: 'Create', exact: true })
    await create.click()
    await page.getByText('Please fill this in').waitFor()
    await page.getByPlaceholder('Value').fill('blue')
    await create.click()
    // It is saved; the test that follows needs a model, for nothing says what this upstream serves.
    await page.getByText('The account is saved, whatever this test says.').waitFor()
    expect(said()).toMatchObject({
      platform: 'OPENAI',
      url: 'https://RESOURCE.example/openai/v1',
      authHeader: 'API_KEY',
      idleTimeoutSeconds: 90,
      extraHeaders: [{ name: 'X-Team', value: 'blue' }],
      formatFlags: { echoReasoning: true, images: false },
    })
    await page.getByRole('row').filter({ hasText: 'azure' }).getByText('Untested').waitFor()
    await page.getByLabel('Model *').fill('gpt-6-sol')
    await page.locator('.t-dialog').getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByText('azure responded in 734 ms').waitFor()
    await page.getByRole('row').filter({ hasText: 'azure' }).getByText('Ready').waitFor()
    expect(complaints).toEqual([])
  })

  test('an account shows its success rate and its last error; a change of its name alone is not tested', async () => {
    const page = await open('/accounts')
    await page.getByRole('row').filter({ hasText: 'glm-backup' }).getByText('71 %').waitFor()
    await page.getByRole('button', { name: 'glm-backup' }).first().click()
    const health = page.getByTestId('health')
    await health.getByText('71 %').waitFor()
    await health.getByText('Connection refused · 10.0.0.2:1080 → open.bigmodel.example:443').waitFor()
    await page.locator('.t-drawer__close-btn').click()
    await page.getByRole('button', { name: 'Edit console-main' }).click()
    await page.getByLabel('Name *').fill('console-first')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByLabel('Name *').waitFor({ state: 'detached' })
    expect(await page.getByText('The account is saved').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a key: windows, rates, days from its first use, addresses; a wrong address opens the part of the form it is in', async () => {
    const page = await open('/keys')
    await page.getByRole('button', { name: 'Edit laptop-anna' }).click()
    expect(await page.getByLabel('Weekly limit').inputValue()).toBe('20.00')
    await page.getByLabel('Monthly limit').fill('60')
    await page.getByLabel('Expires').click()
    await page.locator('.t-select-option').filter({ hasText: 'days after the first use' }).click()
    await page.locator('summary', { hasText: 'Access' }).click()
    await page.getByLabel('Addresses allowed').fill('10.0.0.0/8\n300.0.0.1')
    await page.locator('summary', { hasText: 'Access' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('2: must be an address or a network').waitFor()
    await page.getByLabel('Addresses allowed').fill('10.0.0.0/8')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByLabel('Addresses allowed').waitFor({ state: 'detached' })
    expect(said()).toMatchObject({
      weeklyLimit: '20000000000',
      monthlyLimit: '60000000000',
      rollingHours: 5,
      requestsPerMinute: 120,
      validForDays: 30,
      expiresAt: null,
      allowedAddresses: ['10.0.0.0/8'],
      allowedClients: ['claude-cli/*'],
    })
    expect(complaints).toEqual([])
  })

  test('a key tells its limits, where it was used from, and what was refused of it; the list has the same by filter', async () => {
    const page = await open('/keys')
    await page.getByRole('button', { name: 'ci-runner', exact: true }).click()
    const drawer = page.locator('.t-drawer')
    await drawer.getByText('10.0.4.17').waitFor()
    await drawer.getByText('claude-cli/2.1.14 (external, cli)').waitFor()
    const rejected = drawer.getByTestId('rejections')
    await rejected.getByText('Cost limit reached').waitFor()
    await rejected.getByText('1,204').waitFor()
    await rejected.getByText('The daily limit of this key ($2.00) is reached.').waitFor()
    await rejected.getByRole('link', { name: 'Show in the list' }).click()
    await page.waitForURL('**/rejections?key=K2')
    const rows = page.getByTestId('rejections').locator('tbody tr')
    await rows.getByText('ci-runner').waitFor()
    expect(await rows.count()).toBe(1)
    await page.getByTestId('summary').getByText('1,204').waitFor()
    await page.goto(`${serverNow().url}/rejections?reason=KEY_UNKNOWN`)
    await rows.getByText('unknown key 9f2c41aa').waitFor()
    expect(await rows.count()).toBe(1)
    await page.goto(`${serverNow().url}/live`)
    await page.getByRole('link', { name: '1209 rejected' }).click()
    await expect.poll(() => rows.count()).toBe(3)
    expect(complaints).toEqual([])
  })

  test('people get cost limits; the last administrator stays one', async () => {
    const page = await open('/users')
    const row = page.getByRole('row').filter({ hasText: 'anna' })
    await row.getByText('$200.00').waitFor()
    await page.getByRole('button', { name: 'Edit anna' }).click()
    await page.getByLabel('Daily limit').fill('much')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('An amount in dollars').waitFor()
    await page.getByLabel('Daily limit').fill('7.5')
    await page.getByRole('button', { name: 'Save' }).click()
    await row.getByText('$7.50').waitFor()
    expect(said()).toMatchObject({
      id: 'U2',
      dailyLimit: '7500000000',
      monthlyLimit: '200000000000',
      email: 'anna@example.com',
    })
    expect(said()).not.toHaveProperty('password')
    await page.getByRole('switch', { name: 'Enable admin' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByText('This is the last administrator who can sign in.').waitFor()
    expect(complaints).toEqual([])
  })

  test('settings are saved as a whole and say what they mean; models without a price are listed', async () => {
    const page = await open('/settings')
    const save = page.getByRole('button', { name: 'Save' })
    await save.waitFor()
    expect(await save.isDisabled()).toBe(true)
    await page.getByLabel('When running requests reach a limit').click()
    await page.locator('.t-select-option').filter({ hasText: 'They are stopped' }).click()
    await page.getByText('Streams end with an error event').waitFor()
    await page.getByLabel('Hour of the reset').fill('6')
    await save.click()
    await page.getByText('Saved').waitFor()
    expect(said()).toMatchObject({ whenLimitReached: 'STOP', weekStart: 'MONDAY', resetHour: 6 })
    expect(said()).not.toHaveProperty('upstreamAllow')
    await expect.poll(() => save.isDisabled()).toBe(true)
    await page.getByRole('link', { name: 'Models without a price' }).click()
    const models = page.getByTestId('models').locator('tbody tr')
    await models.filter({ hasText: 'gemini-4-ultra-preview' }).getByText('$18.23').waitFor()
    await page.locator('.t-radio-button').filter({ hasText: '90 days' }).click()
    await expect.poll(() => models.count()).toBe(2)
    expect(complaints).toEqual([])
  })

  test('users, settings and prices are for administrators; whoever is none sees what was refused of their own', async () => {
    serverNow().data.user['role'] = 'USER'
    const page = await open('/settings')
    await page.waitForURL('**/live')
    expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Rejections' }).click()
    await page.getByTestId('rejections').getByText('ci-runner').waitFor()
    expect(await page.getByPlaceholder('Owner').count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
