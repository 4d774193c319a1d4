import type { Account } from '../../server/accounts/account.ts'
import { defaultFormatFlags } from '../../server/accounts/format-flags.ts'
import { readyState } from '../../server/accounts/state/state.ts'
import { createModelList, createModelMapping } from '../../server/model-patterns.ts'

/** A ready console account that serves everything, but for what the test says. */
export const accountOf = (more: Partial<Account> = {}): Account => ({
  id: 1,
  name: 'account',
  platform: 'console',
  origin: 'http://127.0.0.1:1',
  basePath: '',
  authHeader: 'bearer',
  secret: 'sk-upstream-secret',
  expiresAtMs: Number.POSITIVE_INFINITY,
  dueAtMs: Number.POSITIVE_INFINITY,
  staleAtMs: Number.POSITIVE_INFINITY,
  proxy: null,
  proxyIsTrusted: true,
  isApproved: true,
  groupIds: [1],
  ownerId: 0,
  priority: 100,
  weight: 100,
  concurrency: null,
  models: createModelList(['*']),
  mapping: createModelMapping({}),
  flags: defaultFormatFlags,
  timers: { connectMs: null, firstByteMs: null, idleMs: null },
  extraHeaders: [],
  maxUsedPpm: {},
  enabled: true,
  switchedOn: true,
  live: { state: readyState, inFlight: 0 },
  ...more,
})
