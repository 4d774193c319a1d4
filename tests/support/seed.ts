/** Property tests use the same cases in every run of CI. `npm run test:long` sets no seed, so each run has other cases. */
import process from 'node:process'
import fc from 'fast-check'

const seed = process.env['TEST_SEED']
if (seed) fc.configureGlobal({ seed: Number(seed) })
