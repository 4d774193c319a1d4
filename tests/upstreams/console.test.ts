import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import { consolePlatform } from '../../server/upstreams/platforms/console/console.ts'

test.each([
  ['https://api.anthropic.com', true],
  ['https://eu.api.anthropic.com', true],
  ['http://api.anthropic.com', false],
  ['https://api.anthropic.com.example.org', false],
  ['https://notanthropic.com', false],
  ['https://api.anthropic.com:8443', false],
  ['https://relay.example.org', false],
])('%s is the vendor: %s', (origin, isVendor) => {
  expect(consolePlatform.isFirstParty({ origin } as Account)).toBe(isVendor)
})
