import { expect, test } from 'vitest'
import { limitsForm, readLimits } from '../../client/forms/limits.ts'
import type { ApiKey } from '../../client/graphql/key-operations.ts'
import { formOf, readForm } from '../../client/pages/keys/key-form.ts'
import { createMockData } from './mock-data.ts'

const words = { required: 'required', amount: 'amount', short: 'short' }
const now = Date.parse('2026-11-24T00:00:00Z')
const stored = (changes: Partial<ApiKey> = {}): ApiKey => ({
  ...(createMockData(false).keys[0] as unknown as ApiKey),
  ...changes,
})

test('limits are typed in dollars and sent in nano-dollars; an empty one is none, another word is named', () => {
  const form = limitsForm({
    dailyLimit: '2500000000',
    weeklyLimit: null,
    monthlyLimit: null,
    totalLimit: null,
    rollingLimit: '1',
    rollingHours: 24,
  })
  expect(form).toMatchObject({ dailyLimit: '2.50', weeklyLimit: '', rollingLimit: '0.000000001', rollingHours: 24 })
  expect(readLimits({ ...form, monthlyLimit: '40' }, 'amount')).toEqual({
    problems: {},
    input: {
      dailyLimit: '2500000000',
      weeklyLimit: null,
      monthlyLimit: '40000000000',
      totalLimit: null,
      rollingLimit: '1',
      rollingHours: 24,
    },
  })
  expect(readLimits({ ...form, totalLimit: 'much' }, 'amount').problems).toEqual({ totalLimit: 'amount' })
})

test('a key that expires after its first use has no date of its own, and one with a date no days', () => {
  const form = { ...formOf(undefined), name: 'n', groupId: 'G1', limits: limitsForm(undefined) }
  expect(readForm({ ...form, expiry: 'firstUse', validForDays: 14 }, now, words).input).toMatchObject({
    expiresAt: null,
    validForDays: 14,
  })
  expect(readForm({ ...form, expiry: 7 }, now, words).input).toMatchObject({
    expiresAt: '2026-12-01T00:00:00.000Z',
    validForDays: null,
  })
  expect(readForm({ ...form, expiry: 'firstUse', validForDays: undefined }, now, words).problems).toEqual({
    validForDays: 'required',
  })
  // It was used: its date stays, and so do its days.
  const used = readForm(formOf(stored({ expiresAt: '2026-12-01T00:00:00Z', validForDays: 14 })), now, words).input
  expect(used).not.toHaveProperty('expiresAt')
  expect(used).not.toHaveProperty('validForDays')
  expect(formOf(stored({ expiresAt: null, validForDays: 14 }))).toMatchObject({ expiry: 'firstUse', validForDays: 14 })
})

test('addresses stand one a line or apart by commas; programs have spaces', () => {
  const form = {
    ...formOf(stored()),
    allowedAddresses: '10.0.0.0/8, 2001:db8::1\n\n192.0.2.7',
    allowedClients: 'claude-cli/* (external, cli)\n my script ',
  }
  expect(readForm(form, now, words).input).toMatchObject({
    allowedAddresses: ['10.0.0.0/8', '2001:db8::1', '192.0.2.7'],
    allowedClients: ['claude-cli/* (external, cli)', 'my script'],
    requestsPerMinute: 120,
    tokensPerMinute: null,
  })
})
