import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

describe('a server that is away, or another one than before, in Chromium', () => {
  const { open, server: serverNow } = openDashboard()
  const go = async (page: Page, name: string): Promise<void> => {
    await page.getByRole('link', { name }).click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
  }

  test('a page whose code has another name since an upgrade is loaded in full', async () => {
    const page = await open('/groups')
    await page.getByText('contractors').waitFor()
    await page.route('**/assets/RulesPage*', (route) => route.fulfill({ status: 404 }))
    page.once('framenavigated', () => void page.unrouteAll())
    await go(page, 'Error rules')
    await page.getByTestId('built-in').waitFor()
  })

  test('a page that cannot be loaded now leaves the one at hand, and is whole once the server answers', async () => {
    const page = await open('/groups')
    await page.getByText('contractors').waitFor()
    await page.context().setOffline(true)
    await page.getByRole('link', { name: 'Error rules' }).click()
    await page.getByText('The server does not respond').first().waitFor()
    expect(await page.getByText('contractors').count()).toBe(1)
    await page.context().setOffline(false)
    await go(page, 'Error rules')
    // A span is laid out like this only by the page's own styles.
    const conditions = page.getByTestId('built-in').locator('.conditions').first()
    await conditions.waitFor()
    expect(await conditions.evaluate((item) => getComputedStyle(item).display)).toBe('flex')
  })

  test('a list that was opened meanwhile is read by itself; where nothing is live nothing is called lost', async () => {
    const page = await open('/keys')
    await page.getByText('laptop-anna').waitFor()
    await go(page, 'Groups')
    await page.getByText('contractors').waitFor()
    await page.context().setOffline(true)
    serverNow().cut()
    await go(page, 'API keys')
    await page.getByText('The connection to the server is lost').waitFor()
    await page.context().setOffline(false)
    await page.getByText('laptop-anna').waitFor()
    await page.getByText('The connection to the server is lost').waitFor({ state: 'detached' })
    await page.context().setOffline(true)
    serverNow().cut()
    await page.getByText('The connection to the server is lost').waitFor()
    await go(page, 'Groups')
    await page.getByText('The connection to the server is lost').waitFor({ state: 'detached' })
  })
})
