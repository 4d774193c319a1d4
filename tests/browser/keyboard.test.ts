import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement
    return element === null || element === document.body
      ? ''
      : (element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '')
  })

/** Presses Tab until the focus is on the button or switch of this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  await page
    .getByRole('main')
    .getByLabel(name)
    .or(page.getByRole('button', { name, exact: true }))
    .first()
    .waitFor()
  const passed: string[] = []
  for (let presses = 0; presses < 200; presses++) {
    await page.keyboard.press('Tab')
    passed.push(await focused(page))
    if (passed.at(-1) === name) return
  }
  throw new Error(`Tab does not reach "${name}", but ${[...new Set(passed)].join(', ')}`)
}

/** Everything on the page that can be operated, marked with a number. */
const markControls = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const selector = 'a[href], button, input, textarea, summary, [role=switch], [role=button]'
    const controls = [...document.querySelectorAll<HTMLElement>(selector)].filter(
      (element) => element.getClientRects().length > 0 && !element.matches(':disabled, [aria-disabled=true]'),
    )
    controls.forEach((element, index) => {
      element.dataset['control'] = String(index)
    })
    return controls.length
  })

describe('with the keyboard alone', () => {
  const { open, server, complaints } = openDashboard()

  test.each(['/live', '/accounts', '/keys', '/groups', '/rejections', '/users', '/rules', '/jobs'])(
    '%s: Tab reaches everything that can be operated, and everything shows that it has the focus',
    async (path) => {
      const page = await open(path, { viewport: { width: 1440, height: 900 } })
      await page.locator('.panel').locator('button, .t-table__body').first().waitFor()
      const count = await markControls(page)
      const reached = new Set<string>()
      for (let presses = 0; presses < count + 20 && reached.size < count; presses++) {
        await page.keyboard.press('Tab')
        const { control, shows } = await page.evaluate(() => {
          const element = document.activeElement as HTMLElement
          const around =
            element.closest<HTMLElement>('.t-range-input') ??
            element.closest<HTMLElement>('.t-input, .t-select') ??
            element
          const { outlineStyle, boxShadow } = getComputedStyle(element)
          const shows = outlineStyle !== 'none' || boxShadow !== 'none' || getComputedStyle(around).boxShadow !== 'none'
          return { control: element.dataset['control'], shows }
        })
        if (control === undefined) continue
        reached.add(control)
        expect(shows, await focused(page)).toBe(true)
      }
      const missed = await page.evaluate(
        (found) =>
          [...document.querySelectorAll<HTMLElement>('[data-control]')]
            .filter(({ dataset }) => !found.includes(dataset['control'] ?? ''))
            .map((element) => element.outerHTML.slice(0, 120)),
        [...reached],
      )
      expect(missed).toEqual([])
    },
  )

  test('a key is rotated and deleted; Escape leads back to where the focus was', async () => {
    const page = await open('/keys')
    await page.getByText('laptop-anna').waitFor()
    const more = 'More actions for laptop-anna'
    await tabTo(page, more)
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Details')
    await page.keyboard.press('Escape')
    await expect.poll(() => focused(page)).toBe(more)
    await page.getByRole('menu').waitFor({ state: 'detached' })

    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Details')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    expect(await focused(page)).toBe('Rotate key')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    await expect.poll(() => dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => focused(page)).toBe(more)

    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Details')
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await page.getByRole('alertdialog').waitFor()
    await expect.poll(() => focused(page)).toBe('Cancel')
    await page.keyboard.press('Escape')
    await page.getByRole('alertdialog').waitFor({ state: 'detached' })
    await expect.poll(() => focused(page)).toBe(more)

    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Details')
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Cancel')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: more }).waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
  })

  test('fields behind a line that opens them are reached, filled and left; the form keeps the keyboard', async () => {
    const page = await open('/accounts')
    await page.getByText('console-main').waitFor()
    await tabTo(page, 'Edit console-main')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name *').waitFor()
    const press = async (key: string, isThere: () => Promise<boolean>) => {
      for (let presses = 0; presses < 60 && !(await isThere()); presses++) await page.keyboard.press(key)
      expect(await isThere()).toBe(true)
    }
    await press('Tab', async () => (await focused(page)).startsWith('Timeouts'))
    await page.keyboard.press('Enter')
    await dialog.getByLabel('Longest silence (s)').waitFor()
    await press('Tab', async () => (await focused(page)) === 'Add a header')
    await page.keyboard.press('Enter')
    const name = dialog.getByPlaceholder('Name, such as X-Team')
    await press('Shift+Tab', () => name.evaluate((input) => input === document.activeElement))
    await page.keyboard.type('X-Team')
    await press('Tab', async () => (await focused(page)).startsWith('Delete: Extra request headers'))
    await page.keyboard.press('Enter')
    await name.waitFor({ state: 'detached' })
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab')
      expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true)
    }
    expect(complaints).toEqual([])
  })

  test('rows are sorted from the head of a column, which says how', async () => {
    const page = await open('/keys')
    await page.getByText('laptop-anna').waitFor()
    await tabTo(page, 'Key')
    await page.keyboard.press('Enter')
    await page.locator('th[aria-sort=ascending]').filter({ hasText: 'Key' }).waitFor()
    expect(new URL(page.url()).search).toBe('?sort=name')
    await page.keyboard.press('Enter')
    await page.locator('th[aria-sort=descending]').waitFor()
    await page.keyboard.press('Enter')
    await page.locator('th[aria-sort=descending]').waitFor({ state: 'detached' })
    expect(new URL(page.url()).search).toBe('')
  })

  test('a form with changes asks before Escape or a click beside it closes it; one without does not', async () => {
    const page = await open('/groups')
    await page.getByText('contractors').waitFor()
    const dialog = page.getByRole('dialog')
    const question = page.getByRole('alertdialog')
    await page.getByRole('button', { name: 'Edit contractors' }).click()
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Edit contractors' }).click()
    const name = dialog.getByLabel('Name *')
    await name.fill('others')
    await page.keyboard.press('Escape')
    await question.waitFor()
    await page.keyboard.press('Escape')
    await question.waitFor({ state: 'detached' })
    expect(await name.inputValue()).toBe('others')
    await expect.poll(() => name.evaluate((input) => input === document.activeElement)).toBe(true)

    await page.mouse.click(8, 8)
    await question.waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByText('contractors').waitFor()
  })

  test('what was switched off is switched on again by Undo; a group that goes off asks first', async () => {
    const page = await open('/groups')
    await page.getByText('研发团队').waitFor()
    await tabTo(page, 'Enable 研发团队')
    await page.keyboard.press('Space')
    await page.getByRole('alertdialog').waitFor()
    await expect.poll(() => focused(page)).toBe('Cancel')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('研发团队 is disabled').waitFor()
    const toggle = page.getByRole('switch', { name: 'Enable 研发团队' })
    expect(await toggle.getAttribute('aria-checked')).toBe('false')
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(() => toggle.getAttribute('aria-checked')).toBe('true')
    expect(server().data.listening()).toBe(0)
  })
})
