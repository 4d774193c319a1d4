import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

describe('the network of accounts in Chromium', () => {
  const { open, server: serverNow, complaints } = openDashboard()

  test('administrators admit networks of their own; what is none is told beside the field', async () => {
    const page = await open('/accounts')
    await page.getByRole('button', { name: 'Networks' }).click()
    const dialog = page.locator('.t-dialog').filter({ hasText: 'Allowed networks' })
    const field = dialog.getByLabel('Allowed networks')
    await expect.poll(() => field.inputValue()).toBe('192.168.1.0/24\nfd00::/8')
    await field.fill('192.168.1.0/24\n300.0.0.1')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('wrong: 300.0.0.1').waitFor()
    expect(await field.inputValue()).toBe('192.168.1.0/24\n300.0.0.1')
    await field.fill('192.168.1.0/24\n10.0.0.7')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved').waitFor()
    await page.getByRole('button', { name: 'Networks' }).click()
    await expect.poll(() => field.inputValue()).toBe('192.168.1.0/24\n10.0.0.7')
    expect(complaints).toEqual([])
  })

  test('networks that cannot be read are not written over', async () => {
    const server = serverNow()
    const page = await open('/accounts')
    await page.getByRole('button', { name: 'glm-backup' }).first().waitFor()
    server.setDown(true)
    await page.getByRole('button', { name: 'Networks' }).click()
    const dialog = page.locator('.t-dialog').filter({ hasText: 'Allowed networks' })
    await dialog.getByText('The server does not respond').waitFor()
    server.setDown(false)
    await dialog.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => dialog.getByLabel('Allowed networks').inputValue()).toBe('192.168.1.0/24\nfd00::/8')
  })

  test('others do not find them', async () => {
    serverNow().data.user['role'] = 'USER'
    const page = await open('/accounts')
    await page.getByRole('button', { name: 'glm-backup' }).first().waitFor()
    expect(await page.getByRole('button', { name: 'Networks' }).count()).toBe(0)
  })

  test.each([
    ['en', 'Connection refused · 10.0.0.2:1080 → open.bigmodel.example:443', 'Details'],
    ['zh-CN', '连接被拒绝 · 10.0.0.2:1080 → open.bigmodel.example:443', '详情'],
  ])('why no answer came is told in the language of the reader (%s)', async (locale, words) => {
    const page = await open('/accounts', { locale })
    await page.getByText(words).first().waitFor()
    await page.getByRole('button', { name: 'glm-backup' }).first().click()
    const timeline = page.getByTestId('timeline')
    await timeline.getByText(words).waitFor()
    // The server's own sentence, with the code, is there for who wants it.
    expect(await timeline.getByText(words).first().getAttribute('title')).toContain('(ECONNREFUSED)')
  })

  test('a model that rests alone tells when it is looked at, and can be looked at now', async () => {
    const page = await open('/accounts')
    await page.getByRole('button', { name: 'console-main' }).first().click()
    const drawer = page.locator('.t-drawer').filter({ hasText: 'Models cooling down' })
    await drawer.getByText('claude-opus-4-6').first().waitFor()
    await drawer.getByText(/Next probe in/).waitFor()
    await drawer.getByRole('button', { name: 'Probe claude-opus-4-6 now' }).click()
    await page.locator('.t-message').getByText('529 overloaded_error').waitFor()
  })

  test('a group has its switches for conversations that move', async () => {
    const page = await open('/groups')
    await page.getByRole('button', { name: 'Create group' }).first().click()
    const dialog = page.locator('.t-dialog')
    await dialog.getByLabel('Name *').fill('movers')
    const cuts = dialog.locator('[aria-label="Remove thinking of other accounts"]')
    const returns = dialog.locator('[aria-label="Sessions return by priority"]')
    expect(await cuts.count()).toBe(1)
    expect(await returns.count()).toBe(1)
    await dialog.getByText('Claude Code recovers by itself').waitFor()
  })
})
