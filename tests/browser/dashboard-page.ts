import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startMockServer } from '../client/mock-server.ts'

// Debian's flags for a root user without a network of its own.
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

/** The built dashboard in Chromium before canned answers: a browser a file, a server and a context a test. */
export function openDashboard() {
  let browser: Browser
  let server: Awaited<ReturnType<typeof startMockServer>>
  let context: BrowserContext | undefined
  /** What pages said on their console: a refused style, script or connection is told there. */
  const complaints: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  })
  beforeEach(async () => {
    server = await startMockServer()
    complaints.length = 0
  })
  afterEach(async () => {
    await context?.close()
    context = undefined
    server.close()
  })
  afterAll(() => browser.close())

  return {
    complaints,
    server: () => server,
    /** A page of the test's context; `options` count for the first. */
    async open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
      context ??= await browser.newContext({ locale: 'en', ...options })
      const page = await context.newPage()
      page.setDefaultTimeout(30_000)
      page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.goto(server.url + path)
      return page
    },
  }
}
