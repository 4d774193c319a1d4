import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'

const built = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']

/** The built program as `npm run demo` runs it, in a folder of its own. */
test('the demo prints its page and how to sign in, and rows arrive there by themselves', {
  timeout: 90_000,
}, async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'relay-demo-'))
  const { PATH = '' } = process.env
  const demo = spawn(process.execPath, [built, 'demo'], { cwd, env: { PATH, PORT: '0', TIME_ZONE: 'UTC' } })
  const ended = once(demo, 'exit')
  onTestFinished(async () => {
    demo.kill('SIGKILL')
    await ended
    await rm(cwd, { recursive: true, force: true })
  })
  let output = ''
  for await (const text of demo.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += String(text)
    if (output.includes('Ctrl-C stops.')) break
  }
  demo.stdout.resume()
  const [, address = '', user = '', password = ''] =
    /Dashboard: {2}(http\S+) {2}\(sign in as (\S+) with the password ([\w-]+);/.exec(output) ?? []

  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  onTestFinished(() => browser.close())
  const page = await browser.newPage({ locale: 'en' })
  const complaints: string[] = []
  let loads = 0
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('load', () => loads++)
  await page.goto(address)
  await page.getByLabel('User name').fill(user)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Live requests' }).waitFor()
  const settled = page.getByTestId('settled').locator('tbody tr')
  await settled.first().waitFor()
  const counted = () => page.getByTestId('requests').textContent().then(Number)
  const [before, rowsBefore] = [await counted(), await settled.count()]
  await expect.poll(counted, { timeout: 30_000 }).toBeGreaterThan(before + 1)
  await expect.poll(() => settled.count(), { timeout: 30_000 }).toBeGreaterThan(rowsBefore)
  expect(loads).toBe(1)
  expect(complaints).toEqual([])

  // Ctrl-C, or a container that stops.
  demo.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
