/** Property tests draw the same cases at every run of CI. `npm run test:long` sets no seed: each run draws others. */
import process from 'node:process'
import fc from 'fast-check'

const seed = process.env['TEST_SEED']
if (seed) fc.configureGlobal({ seed: Number(seed) })
