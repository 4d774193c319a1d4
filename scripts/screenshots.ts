/**
 * npm run screenshots -- --out DIR [--only PART]: every page, form and drawer of the built dashboard, empty and full, in both
 * themes, both languages, 1440 and 390 pixels wide. The data are canned (tests/client/mock-data.ts). PART is a part of the
 * path of a picture, such as full/zh-CN-light-1440.
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Browser, chromium, type Page } from 'playwright-core'
import { startMockServer } from '../tests/client/mock-server.ts'

const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
const { values } = parseArgs({ options: { out: { type: 'string' }, only: { type: 'string', default: '' } } })
if (values.out === undefined) throw new Error('Say where the pictures go: npm run screenshots -- --out DIR')
const out = values.out

const add = '.tools > button:last-child'
const openAll = async (page: Page): Promise<void> => {
  for (const summary of await page.locator('.t-dialog summary').all()) await summary.click()
}

interface Shot {
  name: string
  path: string
  /** Whether it is there without any data. */
  isForEmpty: boolean
  open?: (page: Page) => Promise<void>
}

const page = (name: string): Shot => ({ name, path: `/${name}`, isForEmpty: true })
const form = (name: string, path: string, open: (page: Page) => Promise<void>, isForEmpty = false): Shot => ({
  name,
  path,
  isForEmpty,
  open,
})

const shots: Shot[] = [
  ...['live', 'accounts', 'keys', 'groups', 'rejections', 'users', 'rules', 'jobs', 'settings', 'fallback-prices'].map(
    page,
  ),
  page('password'),
  page('nothing-here'),
  form('signin', '/signin', async () => {}, true),
  form('setup', '/setup?token=one-time', async () => {}, true),
  form('account-new', '/accounts', (page) => page.locator(add).first().click()),
  form('account-edit', '/accounts', async (page) => {
    await page.locator('.row-actions button:first-child').nth(2).click()
    await openAll(page)
  }),
  form('account-drawer', '/accounts', (page) => page.locator('.link.cell-main').nth(2).click()),
  form('account-claude-drawer', '/accounts', (page) => page.locator('.link.cell-main').nth(1).click()),
  form('key-new', '/keys', (page) => page.locator(add).first().click()),
  form('key-edit', '/keys', async (page) => {
    await page.locator('.row-actions button:first-child').first().click()
    await page.locator('.t-dialog').waitFor()
    await openAll(page)
  }),
  form('key-drawer', '/keys', (page) => page.locator('.link.cell-main').nth(1).click()),
  form('group-edit', '/groups', (page) => page.locator('.row-actions button:first-child').first().click()),
  form('user-edit', '/users', (page) => page.locator('.t-button--variant-text.t-button--theme-primary').last().click()),
  form('rule-new', '/rules', (page) => page.locator(add).first().click()),
  form('request-drawer', '/live', (page) => page.locator('[data-testid=settled] .link').first().click()),
]

async function take(
  browser: Browser,
  isEmpty: boolean,
  language: string,
  theme: 'light' | 'dark',
  width: number,
): Promise<number> {
  const folder = `${isEmpty ? 'empty' : 'full'}/${language}-${theme}-${width}`
  const wanted = shots.filter(
    ({ name, isForEmpty }) => (!isEmpty || isForEmpty) && `${folder}/${name}.png`.includes(values.only),
  )
  if (wanted.length === 0) return 0
  const server = await startMockServer({ isEmpty })
  const context = await browser.newContext({
    locale: language,
    colorScheme: theme,
    reducedMotion: 'reduce',
    viewport: { width, height: 900 },
  })
  const page = await context.newPage()
  for (const { name, path, open } of wanted) {
    server.data.session.isOpen = name !== 'signin' && name !== 'setup'
    await page.setViewportSize({ width, height: width < 768 ? 844 : 900 })
    await page.goto(server.url + path, { waitUntil: 'networkidle' })
    await open?.(page)
    await page.waitForLoadState('networkidle')
    await page.waitForTimeout(open ? 500 : 0)
    // As tall as what scrolls inside: a picture shows the whole.
    const height = await page.evaluate(() =>
      Math.max(
        window.innerHeight,
        ...[...document.querySelectorAll('.t-dialog')].map((dialog) => dialog.getBoundingClientRect().height + 120),
        ...[...document.querySelectorAll('main, .t-drawer__body')].map(
          (area) => area.getBoundingClientRect().top + area.scrollHeight,
        ),
      ),
    )
    await page.setViewportSize({ width, height: Math.min(4000, Math.ceil(height)) })
    const file = join(out, folder, `${name}.png`)
    await mkdir(dirname(file), { recursive: true })
    // After another size it has to be drawn anew.
    await page.waitForTimeout(400)
    await page.screenshot({ path: file })
  }
  await context.close()
  server.close()
  return wanted.length
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
let count = 0
for (const isEmpty of [false, true])
  for (const language of ['zh-CN', 'en'])
    for (const theme of ['light', 'dark'] as const)
      for (const width of [1440, 390]) count += await take(browser, isEmpty, language, theme, width)
await browser.close()
console.log(`${count} pictures in ${out}`)
