import { test } from 'vitest'
import { expectExactLedger } from '../scenarios/kill-report.ts'
import { killWhileStreaming } from '../scenarios/kills.ts'

// faults.md 43; about 50 seconds a seed.
const seeds = Array.from({ length: 50 }, (_, index) => index + 1)

test.each(seeds)(
  'killed twenty times at the moments of seed %i, the relay has exactly one row for every request',
  async (seed) => {
    const killed = await killWhileStreaming({ seed, kills: 20, clients: 50 })
    try {
      console.info(`seed ${seed}:`, JSON.stringify(await expectExactLedger(killed)))
    } finally {
      await killed.close()
    }
  },
)
