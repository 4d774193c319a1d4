import { expect, test } from 'vitest'
import { expectExactLedger } from './kill-report.ts'
import { killWhileStreaming } from './kills.ts'

// faults.md 43; twenty kills and other seeds: tests/long/durability-seeds.test.ts.
test('killed three times while fifty streams run, the relay has exactly one row for every request', {
  timeout: 120_000,
}, async () => {
  const killed = await killWhileStreaming({ seed: 20_261_123, kills: 3, clients: 50 })
  try {
    const numbers = await expectExactLedger(killed)
    console.info('kill -9, three times:', JSON.stringify(numbers))
    // Without both kinds of row the test would say nothing.
    expect(numbers['interrupted']).toBeGreaterThan(20)
    expect(numbers['final']).toBeGreaterThan(20)
  } finally {
    await killed.close()
  }
})
