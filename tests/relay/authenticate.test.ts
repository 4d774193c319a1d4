import { expect, test } from 'vitest'
import type { ApiKey } from '../../server/keys/api-key.ts'
import { noCostLimits } from '../../server/keys/limits.ts'
import { createModelList } from '../../server/model-patterns.ts'
import { authenticate } from '../../server/relay/request/authenticate.ts'

const keyOf = (more: Partial<ApiKey> = {}): ApiKey => ({
  id: 1,
  name: 'key',
  userId: 1,
  groupId: 1,
  models: createModelList(['*']),
  addresses: null,
  clients: null,
  ...noCostLimits,
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
  validForDays: null,
  tag: '',
  ofUser: noCostLimits,
  ofGroup: noCostLimits,
  groupChargeBp: 10_000,
  userChargeBp: 10_000,
  expiresAtMs: null,
  enabled: true,
  ownerEnabled: true,
  ...more,
})

/** Keys by secret, and what was looked up. */
function keysOf(known: Record<string, ApiKey>) {
  const asked: string[] = []
  return {
    asked,
    hmacOf(secret: string) {
      asked.push(secret)
      return `hmac ${secret}`
    },
    findByHmac: (hmac: string) => new Map(Object.entries(known)).get(hmac.slice(5)),
  }
}

const codeOf = (key: ApiKey, nowMs = 1000) => {
  const found = authenticate({ 'x-api-key': 'sk' }, keysOf({ sk: key }), nowMs)
  return 'failure' in found ? found.failure.code : 'let in'
}

test('a key lets in unless it, or its owner, is disabled, or its time is over', () => {
  expect(codeOf(keyOf())).toBe('let in')
  expect(codeOf(keyOf({ enabled: false }))).toBe('key_disabled')
  expect(codeOf(keyOf({ ownerEnabled: false }))).toBe('key_disabled')
  expect(codeOf(keyOf({ expiresAtMs: 1001 }))).toBe('let in')
  expect(codeOf(keyOf({ expiresAtMs: 1000 }))).toBe('key_expired')
})

test('fault 9: unknown, wrong and known secrets take the same path: one digest and one look-up each', () => {
  const keys = keysOf({ 'sk-known': keyOf() })
  for (const secret of ['sk-known', 'sk-knowm', 'sk-unknown', 'x', 'y'.repeat(5000)]) {
    keys.asked.length = 0
    authenticate({ 'x-api-key': secret }, keys, 0)
    expect(keys.asked).toEqual([secret])
  }
})

test('client point 12: credentials are tried in order, bearer first, until one is known', () => {
  const keys = keysOf({ second: keyOf({ id: 2 }), fourth: keyOf({ id: 4 }) })
  const headers = {
    authorization: 'Bearer first',
    'x-api-key': 'second',
    'api-key': 'third',
    'x-goog-api-key': 'fourth',
  }
  expect(authenticate(headers, keys, 0)).toMatchObject({ id: 2 })
  expect(keys.asked).toEqual(['first', 'second'])
  expect(authenticate({ ...headers, authorization: 'bearer  fourth' }, keys, 0)).toMatchObject({ id: 4 })
})

test('nothing that is no credential is looked up', () => {
  const keys = keysOf({})
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic c2s6', 'Bearer a b', 'sk-bare']) {
    expect(authenticate({ authorization, 'x-api-key': '' }, keys, 0)).toMatchObject({
      failure: { code: 'key_missing' },
    })
  }
  expect(keys.asked).toEqual([])
})

test('client point 2: no message is the one that Claude Code hides', () => {
  for (const key of [keyOf({ enabled: false }), keyOf({ expiresAtMs: 0 })]) {
    const found = authenticate({ 'x-api-key': 'sk' }, keysOf({ sk: key }), 0)
    expect('failure' in found && found.failure.message).toMatch(/^This API key /)
  }
  for (const headers of [{}, { 'x-api-key': 'other' }]) {
    const found = authenticate(headers, keysOf({}), 0)
    expect('failure' in found && found.failure.message).toContain('ANTHROPIC_AUTH_TOKEN')
    expect('failure' in found && found.failure.message.toLowerCase()).not.toContain('x-api-key')
  }
})
