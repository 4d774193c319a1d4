import process from 'node:process'
import { test } from 'vitest'
import { expectExactLedger } from '../program/kill-report.ts'
import { killWhileStreaming } from '../program/kills.ts'

// faults.md 43; about 50 seconds a seed. TEST_SEED, when set, is the first of them.
const first = Number(process.env['TEST_SEED'] || Math.floor(Math.random() * 1_000_000_000))
const seeds = Array.from({ length: 50 }, (_, index) => first + index)

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
