import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Suites by what they need: nothing, real services, real clients, a long time. */
export default defineConfig({
  // Vite would take graphql's ES modules and Node its CommonJS: two realms, and no type of one is a type of the other.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most tests wait for sockets; vitest itself would leave one of two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'embedded',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/clients/**', 'tests/browser/**', 'tests/long/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          // The same files on MySQL and Redis: tests/support/engines.ts reads this.
          env: { TEST_ENGINES: 'services' },
          include: [
            'tests/store/**/*.test.ts',
            'tests/accounts/**/*.test.ts',
            'tests/ledger/**/*.test.ts',
            'tests/prices/**/*.test.ts',
            'tests/scenarios/**/*.test.ts',
            'tests/graphql/**/*.test.ts',
            'tests/identity/**/*.test.ts',
            'tests/live/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: { name: 'clients', include: ['tests/clients/*.test.ts'], testTimeout: 120_000 },
      },
      { extends: true, test: { name: 'browser', include: ['tests/browser/*.test.ts'], testTimeout: 60_000 } },
      { extends: true, test: { name: 'long', include: ['tests/long/**/*.test.ts'], testTimeout: 1_200_000 } },
    ],
  },
})
