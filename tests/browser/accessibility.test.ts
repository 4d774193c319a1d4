import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

// Without movement: a word that fades in has half of its contrast.
const reader = { reducedMotion: 'reduce', viewport: { width: 1440, height: 900 } } as const

const pages = {
  '/live': 'claude-opus-4-6',
  '/accounts': 'console-main',
  '/keys': 'laptop-anna',
  '/groups': 'contractors',
  '/rejections': 'The daily limit of this key',
  '/users': 'anna@example.com',
  '/settings': 'Weekly limits begin on',
  '/fallback-prices': 'mistral-large-4',
  '/rules': 'Organisation on hold',
  '/jobs': 'Ledger check',
  '/password': 'Change password',
  '/nothing-here': 'There is no such page',
}

/** What axe-core finds that keeps people out, as `rule: element`. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, any }) => `${id}: ${target.join(' ')} ${any[0]?.message ?? ''}`.trim()),
    )
}

const withFindings = (found: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(found).filter(([, findings]) => findings.length > 0))

describe.each(['light', 'dark'] as const)(
  'in %s, axe-core has no serious finding',
  { timeout: 600_000 },
  (colorScheme) => {
    const { open, server } = openDashboard()

    test('on any page', async () => {
      const page = await open('/icon.svg', { ...reader, colorScheme })
      const found: Record<string, string[]> = {}
      for (const [path, sign] of Object.entries(pages)) {
        await page.goto(server().url + path)
        await page.getByText(sign).first().waitFor()
        found[path] = await seriousFindings(page)
      }
      server().data.session.isOpen = false
      for (const path of ['/signin', '/setup?token=one-time']) {
        await page.goto(server().url + path)
        await page.getByLabel('User name').waitFor()
        found[path] = await seriousFindings(page)
      }
      expect(withFindings(found)).toEqual({})
    })

    test('in dialogs, drawers and menus', async () => {
      const page = await open('/accounts', { ...reader, colorScheme })
      const found: Record<string, string[]> = {}
      await page.getByRole('button', { name: 'glm-backup' }).first().click()
      await page.getByTestId('timeline').waitFor()
      found['account drawer'] = await seriousFindings(page)
      await page.keyboard.press('Escape')
      await page.getByTestId('timeline').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'More actions for glm-backup' }).click()
      await page.getByRole('menuitem', { name: 'Delete' }).waitFor()
      found['menu'] = await seriousFindings(page)
      await page.getByRole('menuitem', { name: 'Delete' }).click()
      await page.getByRole('alertdialog').waitFor()
      found['question'] = await seriousFindings(page)
      for (const [path, button] of [
        ['/accounts', 'Add account'],
        ['/keys', 'Create key'],
        ['/groups', 'Create group'],
        ['/rules', 'Add rule'],
      ] as const) {
        await page.goto(server().url + path)
        await page.getByRole('button', { name: button }).first().click()
        await page.getByRole('dialog').getByLabel('Name *').waitFor()
        found[button] = await seriousFindings(page)
      }
      await page.goto(`${server().url}/accounts`)
      await page.getByRole('button', { name: 'Add account' }).first().click()
      await page.getByLabel('Vendor').click()
      await page.locator('.t-select-option').filter({ hasText: 'Azure OpenAI' }).click()
      for (const title of ['What the upstream accepts', 'Timeouts, headers, reserve'])
        await page.getByText(title).click()
      await page.getByRole('button', { name: 'Add a header' }).click()
      await page.getByRole('button', { name: 'Add a limit' }).click()
      found['account form in full'] = await seriousFindings(page)
      await page.goto(`${server().url}/keys`)
      await page.getByRole('button', { name: 'laptop-anna', exact: true }).click()
      await page.getByTestId('seen').first().waitFor()
      found['key drawer'] = await seriousFindings(page)
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Edit laptop-anna' }).click()
      for (const title of ['Rates and concurrency', 'Access']) await page.locator('summary', { hasText: title }).click()
      found['key form in full'] = await seriousFindings(page)
      await page.goto(`${server().url}/users`)
      await page.getByRole('button', { name: 'Edit anna' }).click()
      await page.getByRole('dialog').getByLabel('User name *').waitFor()
      found['user form'] = await seriousFindings(page)
      await page.goto(`${server().url}/live`)
      await page.getByTestId('settled').getByRole('button').first().click()
      await page.getByTestId('route').waitFor()
      found['request drawer'] = await seriousFindings(page)
      expect(withFindings(found)).toEqual({})
    })
  },
)
