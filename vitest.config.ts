import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { servicesFiles } from './tests/support/services-files.ts'

/** Suites by what they need: nothing, the built program, real services, real clients, a browser, a long time. See tests/README.md. */
export default defineConfig({
  // Vite would take graphql's ES modules and Node its CommonJS: two realms, and no type of one is a type of the other.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Files share a process and its modules: to load the server anew for each file would cost more than most tests.
    isolate: false,
    // Most tests wait for sockets; vitest itself would leave one of two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: 'tests/support/build-program.ts',
    setupFiles: 'tests/support/seed.ts',
    // Property tests and kills are the same at every run.
    env: { TEST_SEED: '20261123' },
    projects: [
      'client/vitest.config.ts',
      {
        extends: true,
        test: {
          name: 'embedded',
          include: ['tests/**/*.test.ts'],
          exclude: [
            'tests/clients/**',
            'tests/browser/**',
            'tests/long/**',
            'tests/client/components/**',
            'tests/program/**',
          ],
        },
      },
      {
        extends: true,
        // A start takes seconds on a busy machine.
        test: { name: 'program', include: ['tests/program/*.test.ts'], testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'services',
          // MySQL and Redis: tests/support/engines.ts reads this.
          env: { TEST_ENGINES: 'services' },
          include: Object.keys(servicesFiles),
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: 'clients', include: ['tests/clients/*.test.ts'], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/browser/*.test.ts'],
          testTimeout: 180_000,
          expect: { poll: { timeout: 15_000 } },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          // Without a seed of CI's, everything that is drawn is drawn anew.
          env: { TEST_SEED: process.env['TEST_SEED'] ?? '', TEST_EVERY_BYTE: 'yes' },
          include: ['tests/long/*.test.ts', ...filesThatSample()],
          testTimeout: 1_200_000,
        },
      },
    ],
  },
})

/** Files with property tests or with samples of many cases: CI runs some of their cases, `npm run test:long` more. */
function filesThatSample(): string[] {
  const files = readdirSync('tests', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'))
  return files
    .map((file) => `tests/${file}`)
    .filter((file) => /from '(fast-check|.*\/support\/sample\.ts)'/.test(readFileSync(file, 'utf8')))
}
