import { expect, test } from 'vitest'
import { expectExactLedger } from './kill-report.ts'
import { killWhileStreaming } from './kills.ts'

test('killed twenty times while fifty streams run, the relay has exactly one row for every request', {
  timeout: 300_000,
}, async () => {
  const killed = await killWhileStreaming({ seed: 20_261_123, kills: 20, clients: 50 })
  try {
    const numbers = await expectExactLedger(killed)
    console.info('kill -9, twenty times:', JSON.stringify(numbers))
    // Without both kinds of row the test would say nothing.
    expect(numbers['interrupted']).toBeGreaterThan(20)
    expect(numbers['final']).toBeGreaterThan(20)
  } finally {
    await killed.close()
  }
})
