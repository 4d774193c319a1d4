import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import { claudePlatform } from '../../server/upstreams/platforms/claude/claude.ts'
import { consolePlatform } from '../../server/upstreams/platforms/console/console.ts'
import { accountOf } from '../relay/some-account.ts'

function headersOf(headers: string[], account: Account = accountOf(), dropTags = false, platform = consolePlatform) {
  return platform.buildRequest(account, { path: '/v1/messages', query: '', headers, dropTags }).headers
}

test('a request goes to the path of the account, with its query', () => {
  const asked = { path: '/v1/messages', query: '?beta=true', headers: [], dropTags: false }
  expect(consolePlatform.buildRequest(accountOf({ basePath: '/mirror' }), asked)).toMatchObject({
    method: 'POST',
    path: '/mirror/v1/messages?beta=true',
  })
})

test('a request gets a version, no compression and the credential, behind what came', () => {
  expect(headersOf(['X-Kept', '1'])).toEqual([
    'X-Kept',
    '1',
    'anthropic-version',
    '2023-06-01',
    'accept-encoding',
    'identity',
    'authorization',
    'Bearer sk-upstream-secret',
  ])
})

test('a version that came stays the only one, and the credential goes where the account wants it', () => {
  expect(headersOf(['Anthropic-Version', '2026-10-21'], accountOf({ authHeader: 'x-api-key' }))).toEqual([
    'Anthropic-Version',
    '2026-10-21',
    'accept-encoding',
    'identity',
    'x-api-key',
    'sk-upstream-secret',
  ])
})

test('the beta of tags is dropped with the tags, and only it', () => {
  const betas = (value: string) => headersOf(['anthropic-beta', value, 'anthropic-version', 'v'], accountOf(), true)
  expect(betas('one,experimental-claude-tag-2026-10-21, two')).toContain('one, two')
  expect(betas('experimental-claude-tag-2026-10-21')).not.toContain('anthropic-beta')
  expect(betas('one,two')).toContain('one,two')
})

test('a login names its beta beside those of the client, once', () => {
  const betas = (...values: string[]) => {
    const headers = headersOf(
      values.flatMap((value) => ['anthropic-beta', value]),
      accountOf({ platform: 'claude' }),
      false,
      claudePlatform,
    )
    return headers.flatMap((name, at) => (name === 'anthropic-beta' ? [headers[at + 1]] : []))
  }
  expect(betas()).toEqual(['oauth-2025-04-20'])
  expect(betas('one')).toEqual(['one,oauth-2025-04-20'])
  expect(betas('one', 'two')).toEqual(['one', 'two,oauth-2025-04-20'])
  expect(betas('one, oauth-2025-04-20', 'two')).toEqual(['one, oauth-2025-04-20', 'two'])
  expect(betas('')).toEqual(['oauth-2025-04-20'])
})

test('one attempt leaves nothing behind for the next', () => {
  const headers = ['x-a', '1']
  const first = headersOf(headers, accountOf({ secret: 'sk-first' }))
  const second = headersOf(headers, accountOf({ secret: 'sk-second' }))
  expect(first.join()).not.toContain('sk-second')
  expect(second.join()).not.toContain('sk-first')
  expect(headers).toEqual(['x-a', '1'])
})
