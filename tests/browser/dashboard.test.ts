import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

/** The built dashboard in a real browser, under the policies that the server sends, before canned answers. */
describe('the dashboard in Chromium', () => {
  const { open, complaints, server: serverNow } = openDashboard()

  test('the setup link loses its token at once and leads to the groups', async () => {
    const server = serverNow()
    server.data.session.isOpen = false
    const page = await open('/setup?token=one-time')
    expect(page.url()).toBe(`${server.url}/setup`)
    await page.getByLabel('Password *', { exact: true }).fill('short')
    await page.getByLabel('Repeat the password').fill('short')
    await page.getByRole('button', { name: 'Create administrator' }).click()
    await page.getByText('must have at least 12 characters').waitFor()
    await page.getByLabel('Password *', { exact: true }).fill('long enough for it')
    await page.getByLabel('Repeat the password').fill('long enough for it')
    await page.getByRole('button', { name: 'Create administrator' }).click()
    await page.waitForURL('**/groups')
    expect(
      await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])),
    ).not.toContain('mock')
    expect(complaints).toEqual([])
  })

  test('a request appears, fills and settles with its cost, and the totals follow', async () => {
    const server = serverNow()
    server.data.session.isOpen = true
    const page = await open('/')
    await page.getByTestId('settled').waitFor()
    await expect.poll(() => server.data.listening()).toBe(2)
    const row = { ...server.data.running[0], requestId: 'req_new', modelRequested: 'claude-new' }
    server.data.push({ started: { ...row, tokens: { input: 1, output: 0 } } })
    await page.getByTestId('running').getByText('claude-new').waitFor()
    server.data.push({ progress: { ...row, tokens: { input: 1, output: 4321 } } })
    await page.getByTestId('running').getByText('4,321').waitFor()
    const settled = {
      ...row,
      outcome: 'COMPLETED',
      httpStatus: 200,
      status: 'SETTLED',
      errorType: null,
      attemptCount: 1,
      durationMs: 1000,
      tokens: { input: 1, output: 5000, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 },
      cost: '1000000000',
    }
    server.data.push({ settled })
    await page.getByTestId('settled').getByText('claude-new').waitFor()
    await page.getByTestId('settled').getByText('$1.00', { exact: true }).waitFor()
    await page.getByTestId('cost').getByText('$13.48').waitFor()
    await page.getByTestId('requests').getByText('1,285').waitFor()
    expect(await page.getByTestId('running').getByText('claude-new').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a broken connection is told, and mended without a reload', async () => {
    const server = serverNow()
    const page = await open('/live')
    await page.getByTestId('settled').waitFor()
    await expect.poll(() => server.data.listening()).toBe(2)
    server.cut()
    await page.getByText('Reconnecting').waitFor()
    await page.getByText('The connection to the server is lost').waitFor({ state: 'detached' })
    await expect.poll(() => server.data.listening()).toBe(2)
    server.data.push({
      started: { ...server.data.running[0], requestId: 'req_after', modelRequested: 'claude-after' },
    })
    await page.getByTestId('running').getByText('claude-after').waitFor()
  })

  test('a list that could not be read says so and is read again on request', async () => {
    const server = serverNow()
    const page = await open('/groups')
    await page.getByText('contractors').waitFor()
    server.setDown(true)
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText('The server does not respond').waitFor()
    server.setDown(false)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('contractors').waitFor()
  })

  test('a name that is taken is told beside its field', async () => {
    const page = await open('/groups')
    await page.getByRole('button', { name: 'Create group' }).click()
    await page.getByLabel('Name *').fill('default')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('is taken').waitFor()
    expect(await page.getByLabel('Name *').getAttribute('aria-invalid')).toBe('true')
  })

  test("a new key's secret is shown once, with settings to copy, and is nowhere afterwards", async () => {
    const page = await open('/keys')
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByLabel('Name *').fill('new-laptop')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText("export ANTHROPIC_AUTH_TOKEN='sk-ccr-Zr8mJ2xV0cQeN5tWb1LkYp7HdFs3GaUi'").waitFor()
    // The page's own address stands there until the server has said which one clients are to use.
    await page.getByText("export ANTHROPIC_BASE_URL='https://relay.example.com/claude-code'").waitFor()
    await page.getByRole('button', { name: 'I have stored it' }).click()
    await page.getByText('new-laptop').waitFor()
    await page.getByText('I have stored it').waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain('sk-ccr-Zr8mJ2xV0cQeN5tWb1LkYp7HdFs3GaUi')
  })

  test('signing out in one tab leads both to the sign-in page', async () => {
    const page = await open('/keys')
    await page.getByText('laptop-anna').waitFor()
    const other = await open('/accounts')
    await other.getByText('console-main').waitFor()
    await page.getByRole('button', { name: 'User menu' }).click()
    await page.getByText('Sign out').click()
    await page.waitForURL('**/signin**')
    await other.waitForURL('**/signin**')
  })
})
