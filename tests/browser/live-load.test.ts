import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openDashboard } from './dashboard-page.ts'

interface Measured {
  shift: number
  updates: number
  seconds: number
  longTasks: number[]
}

/** A sample of the minute that the page has to stand: LIVE_PAGE_SECONDS=60 runs the whole. */
const seconds = Number(process.env['LIVE_PAGE_SECONDS'] ?? 8)

const { open, server, complaints } = openDashboard()

test(`20 requests a second for ${seconds} s: nothing jumps, and the rows change at most four times a second`, async () => {
  const page = await open('/live', { viewport: { width: 1440, height: 900 } })
  await page.getByTestId('settled').waitFor()
  await expect.poll(() => server().data.listening()).toBe(2)
  await page.evaluate(() => {
    const measured = { shift: 0, updates: 0, seconds: 0, longTasks: [] as number[] }
    const began = performance.now()
    Object.assign(window, { measured })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) measured.shift += (entry as unknown as { value: number }).value
    }).observe({ type: 'layout-shift' })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) measured.longTasks.push(Math.round(entry.duration))
    }).observe({ type: 'longtask' })
    const counter = document.querySelector('[data-testid=requests]')
    new MutationObserver(() => {
      measured.updates++
      measured.seconds = (performance.now() - began) / 1000
    }).observe(counter!, { subtree: true, childList: true, characterData: true })
  })

  const { running } = server().data
  for (let number = 0; number < seconds * 20; number++) {
    const row = { ...running[0], requestId: `req_${number}`, modelRequested: `claude-${number % 3}` }
    server().data.push({ started: { ...row, startedAt: new Date().toISOString() } })
    if (number >= 5) {
      const ended = { ...row, requestId: `req_${number - 5}`, cost: '1000000', durationMs: 250, attemptCount: 1 }
      const tokens = { input: 10, output: 20, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
      server().data.push({
        settled: { ...ended, tokens, outcome: 'COMPLETED', httpStatus: 200, status: 'SETTLED', errorType: null },
      })
    }
    await sleep(50)
  }
  await page
    .getByTestId('requests')
    .getByText(String(1284 + seconds * 20 - 5).replace(/\B(?=\d{3}$)/, ','))
    .waitFor()
  const measured = await page.evaluate(() => (window as unknown as { measured: Measured }).measured)
  const { shift, updates, longTasks } = measured
  console.log(
    `layout shift ${shift.toFixed(4)}, ${updates} updates in ${measured.seconds.toFixed(1)} s, ` +
      `${longTasks.length} long tasks${longTasks.length > 0 ? `, the longest ${Math.max(...longTasks)} ms` : ''}`,
  )
  expect(shift).toBeLessThan(0.1)
  expect(updates).toBeLessThanOrEqual(measured.seconds * 4 + 1)
  expect(complaints).toEqual([])
})
