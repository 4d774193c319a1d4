/**
 * The test files that `npm run test:services` runs again on MySQL and Redis, each with its reason. Every file that reads
 * tests/support/engines.ts or tests/store/twins.ts is here (checked by tests/house/services.test.ts), and a few that test the
 * whole program. Tests that do not depend on an engine run once.
 */
export const servicesFiles: Readonly<Record<string, string>> = {
  // The contracts that SQLite and MySQL, memory and Redis share.
  'tests/store/counters.test.ts': 'counters of memory and Redis',
  'tests/store/counters-rules.test.ts': 'counters of memory and Redis',
  'tests/store/counters-redis.test.ts': 'Redis only',
  'tests/store/database.test.ts': 'both databases',
  'tests/store/database-lost.test.ts': 'a MySQL that goes away',
  'tests/store/database-thread.test.ts': 'SQLite only; says so',
  'tests/store/drift.test.ts': 'migrations of both databases',
  'tests/store/events.test.ts': 'events of memory and Redis',
  'tests/store/events-redis.test.ts': 'Redis only',
  'tests/store/locks.test.ts': 'locks of memory and Redis',
  'tests/store/migrate.test.ts': 'migrations of both databases',
  'tests/store/redis.test.ts': 'Redis only',

  // Modules with SQL of their own, or that reach other processes through Redis.
  'tests/accounts/account-groups.test.ts': 'groups of an account in rows',
  'tests/accounts/accounts.test.ts': 'writes under locks, and events to other processes',
  'tests/accounts/gauges.test.ts': 'rows that are written behind',
  'tests/accounts/timeline.test.ts': 'order of rows',
  'tests/cli/admin.test.ts': 'the command on both databases',
  'tests/graphql/account-groups.test.ts': 'rights of two owners in SQL',
  'tests/graphql/lists.test.ts': 'pages, cursors and filters in SQL',
  'tests/graphql/live-resume.test.ts': 'resuming in another process',
  'tests/graphql/objects.test.ts': 'writes of every noun',
  'tests/graphql/rights.test.ts': 'reads with a viewer in SQL',
  'tests/graphql/series.test.ts': 'sums in SQL',
  'tests/identity/users.test.ts': 'unique names and their collation',
  'tests/keys/keys.test.ts': 'writes under locks',
  'tests/ledger/drift.test.ts': 'sums in SQL',
  'tests/ledger/ledger.test.ts': 'the batch in one transaction',
  'tests/ledger/replay.test.ts': 'rows that are there already',
  'tests/ledger/settler.test.ts': 'the batch in one transaction',
  'tests/ledger/spent.test.ts': 'counters of memory and Redis',
  'tests/live/day-seed.test.ts': 'sums in SQL',
  'tests/live/resume.test.ts': 'the stream in Redis',
  'tests/prices/prices.test.ts': 'cards in rows',

  // The whole program.
  'tests/program/claude-crash.test.ts': 'two processes, one login',
  'tests/program/durability-kill.test.ts': 'exactly once on both databases',
  'tests/program/start.test.ts': 'start and stop on both databases',
  'tests/program/workers-die.test.ts': 'jobs whose lease is in Redis',
  'tests/scenarios/account-of-two-groups.test.ts': 'one account of two groups',
  'tests/scenarios/allowed-addresses.test.ts': 'a setting in every process',
  'tests/scenarios/claude-canaries.test.ts': 'no secret in Redis or MySQL',
  'tests/scenarios/claude-gauges.test.ts': 'gauges in every process',
  'tests/scenarios/claude-refresh.test.ts': 'one refresh between processes',
  'tests/scenarios/clients-leave-drain.test.ts': 'limits in Redis',
  'tests/scenarios/durability-outage.test.ts': 'a database that goes away',
  'tests/scenarios/ingress-keys.test.ts': 'limits in Redis',
  'tests/scenarios/jobs-lease.test.ts': 'the lease in Redis',
  'tests/scenarios/limits.test.ts': 'limits in Redis',
  'tests/scenarios/one-edit.test.ts': 'live events in every process',
  'tests/scenarios/one-request.test.ts': 'a row with every column',
  'tests/scenarios/provision.test.ts': 'the provisioning file on both databases',
  'tests/scenarios/rules.test.ts': 'rules in every process',
  'tests/scenarios/start-refused.test.ts': 'databases that cannot be reached or are taken',
}
