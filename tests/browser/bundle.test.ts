import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

const { open, server } = openDashboard()

/** JavaScript that a page loads from nothing, in kilobytes of gzip. */
async function scriptSize(path: string): Promise<number> {
  const page = await open('/icon.svg')
  const sizes: Promise<number>[] = []
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('.js'))
      sizes.push(
        response.body().then(
          (body) => gzipSync(body).length,
          // What comes after the measurement dies with its page.
          () => 0,
        ),
      )
  })
  await page.goto(server().url + path)
  await page.locator('h1').first().waitFor()
  await page.waitForLoadState('networkidle')
  const size = (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0) / 1000
  console.log(`${path}: ${size.toFixed(0)} kB gzip of JavaScript`)
  return size
}

// The bounds may only be lowered.
test('the sign-in page loads at most 180 kB of JavaScript', async () => {
  server().data.session.isOpen = false
  expect(await scriptSize('/signin')).toBeLessThanOrEqual(180)
})

test.each([
  '/live',
  '/accounts',
  '/keys',
  '/groups',
  '/rejections',
  '/users',
  '/rules',
  '/jobs',
  '/settings',
  '/fallback-prices',
])('%s loads at most 350 kB of JavaScript', async (path) => {
  expect(await scriptSize(path)).toBeLessThanOrEqual(350)
})
