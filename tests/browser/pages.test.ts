import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

describe('pages and forms in Chromium', () => {
  const { open, server: serverNow, complaints } = openDashboard()

  test('each page has a title of its own, in the language of the reader', async () => {
    const page = await open('/keys', { locale: 'zh-CN' })
    await page.getByText('laptop-anna').waitFor()
    expect(await page.title()).toBe('API 密钥 · Claude Code Relay')
    await page.getByRole('link', { name: '账号' }).click()
    await page.getByText('console-main').waitFor()
    expect(await page.title()).toBe('账号 · Claude Code Relay')
  })

  test('what a list is searched for outlives a reload and the way back; the menu leads to the whole list', async () => {
    const page = await open('/accounts')
    const field = page.getByPlaceholder('Search by name')
    await field.fill('glm')
    await page.waitForURL('**/accounts?search=glm')
    await page.reload()
    await expect.poll(() => field.inputValue()).toBe('glm')
    await page.getByRole('link', { name: 'Groups' }).click()
    await page.waitForURL('**/groups')
    expect(await field.inputValue()).toBe('')
    await page.goBack()
    await page.waitForURL('**/accounts?search=glm')
    await expect.poll(() => field.inputValue()).toBe('glm')
    await page.getByRole('link', { name: 'Accounts' }).click()
    await page.waitForURL('**/accounts')
    await expect.poll(() => field.inputValue()).toBe('')
    expect(complaints).toEqual([])
  })

  test('whoever has to sign in comes back to the same rows', async () => {
    serverNow().data.session.isOpen = false
    const page = await open('/keys?search=laptop')
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password').fill('password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL('**/keys?search=laptop')
    await expect.poll(() => page.getByPlaceholder('Search by name').inputValue()).toBe('laptop')
  })

  test('a form that cannot be saved leads to what is wrong in it', async () => {
    const server = serverNow()
    const page = await open('/accounts', { viewport: { width: 390, height: 700 } })
    await page.getByRole('button', { name: 'Add account' }).click()
    await page.getByLabel('Base URL').waitFor()
    const create = page.getByRole('button', { name: 'Create', exact: true })
    const name = page.getByLabel('Name *')
    await create.click()
    await expect.poll(() => name.evaluate((input) => input === document.activeElement)).toBe(true)
    await name.fill('new')
    await page.getByLabel('Upstream API key *').fill('secret')
    server.setDown(true)
    await create.click()
    const problem = page.getByText('The server does not respond')
    await problem.waitFor()
    await expect.poll(() => problem.evaluate((text) => text.getBoundingClientRect().top)).toBeGreaterThan(0)
  })

  test('groups that could not be read are not called missing, and are read when the choice is opened', async () => {
    const server = serverNow()
    const page = await open('/keys')
    await page.getByText('laptop-anna').waitFor()
    server.setDown(true)
    await page.getByRole('button', { name: 'Create key' }).click()
    const group = page.getByLabel('Group *')
    await group.waitFor()
    await expect.poll(() => complaints.length).toBeGreaterThan(0)
    server.setDown(false)
    await group.click()
    await page.locator('.t-select-option').filter({ hasText: 'default' }).waitFor()
    expect(await page.getByText('Create a group first').count()).toBe(0)
  })

  test("a secret of one's own has its label", async () => {
    const page = await open('/keys')
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByText('My own').click()
    await page.getByLabel('Key value', { exact: true }).fill('sk-short')
    await page.getByLabel('Name *').fill('laptop')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await expect.poll(() => page.getByLabel('Key value', { exact: true }).getAttribute('aria-invalid')).toBe('true')
  })
})
