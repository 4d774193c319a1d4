import { expect, test } from 'vitest'
import type { Account, AccountPreset } from '../../client/graphql/account-operations.ts'
import {
  applyPreset,
  finalUrl,
  formOf,
  needsTest,
  problemUnder,
  readForm,
  testModel,
} from '../../client/pages/accounts/form/account-form.ts'
import { formFlags, readFlags } from '../../client/pages/accounts/form/format-flags.ts'
import { createMockData } from './mock-data.ts'

const words = { required: 'required', mapping: (line: string) => `wrong: ${line}` }
const flags = readFlags(formFlags(null)) as AccountPreset['formatFlags']
const preset: AccountPreset = {
  name: 'azure',
  label: 'Azure',
  platform: 'OPENAI',
  url: 'https://RESOURCE.example/openai/v1',
  authHeader: 'API_KEY',
  isLocal: false,
  modelMapping: [
    { from: 'claude-*haiku*', to: 'small' },
    { from: 'claude-*', to: 'large' },
  ],
  formatFlags: { ...flags, echoReasoning: true },
}

function stored(changes: Partial<Account> = {}): Account {
  const { root } = createMockData(false)
  const accounts = root['accounts'] as (args: object) => { edges: { node: Account }[] }
  return { ...accounts({}).edges[0]!.node, ...changes }
}

const filled = (changes: object = {}) => ({ ...formOf(undefined), name: 'n', groupIds: ['G1'], ...changes })

test.each([
  ['CONSOLE', 'https://api.anthropic.com', 'https://api.anthropic.com/v1/messages'],
  ['CONSOLE', 'https://glm.example/api/anthropic/', 'https://glm.example/api/anthropic/v1/messages'],
  ['CLAUDE', 'https://api.anthropic.com/v1', 'https://api.anthropic.com/v1/messages'],
  ['OPENAI', 'https://api.openai.com/v1', 'https://api.openai.com/v1/chat/completions'],
  ['OPENAI', 'https://glm.example/api/paas/v4', 'https://glm.example/api/paas/v4/chat/completions'],
  ['OPENAI', 'https://g.example/v1beta/openai', 'https://g.example/v1beta/openai/chat/completions'],
  ['OPENAI', 'https://g.example/v1/chat/completions', 'https://g.example/v1/chat/completions'],
  ['CODEX', 'http://127.0.0.1:8000', 'http://127.0.0.1:8000/v1/responses'],
  ['CONSOLE', 'ftp://a.example', undefined],
  ['CONSOLE', 'https://a.example/?key=1', undefined],
  ['CONSOLE', 'api.anthropic.com', undefined],
] as const)('%s at %s: requests go to %s', (platform, url, final) => {
  expect(finalUrl(platform, url)).toBe(final)
})

test('a preset fills platform, address, header, mapping and flags', () => {
  const form = filled()
  applyPreset(form, preset)
  const { problems, input } = readForm(form, false, words)
  expect(problems).toEqual({})
  expect(input).toMatchObject({
    platform: 'OPENAI',
    url: 'https://RESOURCE.example/openai/v1',
    authHeader: 'API_KEY',
    modelMapping: preset.modelMapping,
    formatFlags: { echoReasoning: true, maxTokensCap: null },
  })
})

test('flags that nobody changed are not sent, so that what was learnt stays; a platform without flags sends none', () => {
  const account = stored({ platform: 'OPENAI', formatFlags: preset.formatFlags })
  expect(readForm(formOf(account), false, words, account).input).not.toHaveProperty('formatFlags')
  const changed = formOf(account)
  changed.flags.omit = ['stop']
  expect(readForm(changed, false, words, account).input.formatFlags).toMatchObject({ omit: ['stop'] })
  expect(readForm({ ...changed, platform: 'CONSOLE' }, false, words, account).input).not.toHaveProperty('formatFlags')
})

test('headers are sent only when they are replaced; an empty list takes them away', () => {
  const account = stored({ extraHeaderNames: ['x-team'] })
  const form = formOf(account)
  expect(readForm(form, false, words, account).input).not.toHaveProperty('extraHeaders')
  expect(readForm({ ...form, replacesHeaders: true }, false, words, account).input.extraHeaders).toEqual([])
  const rows = [{ name: ' x-team ', value: 'blue' }]
  expect(readForm({ ...form, extraHeaders: rows }, false, words, account).input.extraHeaders).toEqual([
    { name: 'x-team', value: 'blue' },
  ])
  const missing = readForm({ ...form, extraHeaders: [{ name: 'x-team', value: '' }] }, false, words, account)
  expect(missing.problems).toEqual({ extraHeaders: 'required' })
})

test('timers that are empty are the relay’s own; shares are given in per cent', () => {
  const { input } = readForm(
    filled({ idleTimeoutSeconds: 90, maxUtilization: [{ window: '5h', percent: 85 }] }),
    false,
    words,
  )
  expect(input).toMatchObject({ connectTimeoutSeconds: null, idleTimeoutSeconds: 90 })
  expect(input.maxUtilization).toEqual([{ window: '5h', share: 0.85 }])
  const form = formOf(stored({ maxUtilization: [{ window: '7d', share: 0.29 }] }))
  expect(form.maxUtilization).toEqual([{ window: '7d', percent: 29 }])
  expect(readForm(filled({ maxUtilization: [{ window: '', percent: 9 }] }), false, words).problems).toEqual({
    maxUtilization: 'required',
  })
})

test('a save is followed by a test when it changes what the upstream sees, or nobody knows that the account works', () => {
  const account = stored()
  const unchanged = readForm(formOf(account), false, words, account).input
  expect(needsTest(account, { ...unchanged, name: 'other', priority: 3 })).toBe(false)
  expect(needsTest(undefined, unchanged)).toBe(true)
  expect(needsTest({ ...account, isTested: false }, unchanged)).toBe(true)
  for (const change of [{ url: 'https://b.example' }, { upstreamApiKey: 'k' }, { proxy: null }, { modelMapping: [] }])
    expect(needsTest({ ...account, modelMapping: [{ from: 'a', to: 'b' }] }, { ...unchanged, ...change })).toBe(true)
})

test('a test asks for a model that the account serves', () => {
  const account = { models: ['*'], modelMapping: [], platform: 'OPENAI' as const }
  expect(testModel(account)).toBe('')
  expect(testModel({ ...account, models: ['gpt-*', 'gpt-6-sol'] })).toBe('gpt-6-sol')
  expect(testModel({ ...account, modelMapping: [{ from: 'claude-*', to: 'large' }] })).toBe('claude-haiku-4-5')
  expect(testModel({ ...account, platform: 'CONSOLE' })).toBe('claude-haiku-4-5')
})

test('a problem of an entry stands beside its list', () => {
  expect(problemUnder({ 'extraHeaders.cookie': 'not allowed' }, 'extraHeaders')).toBe('not allowed')
  expect(problemUnder({ extraHeaders: 'twice' }, 'extraHeaders')).toBe('twice')
  expect(problemUnder({ extraHeadersX: 'no' }, 'extraHeaders')).toBeUndefined()
})
