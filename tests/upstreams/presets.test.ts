import { expect, test } from 'vitest'
import { accountFields } from '../../server/accounts/account-input.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { accountPresets } from '../../server/upstreams/platforms/presets.ts'

test.each(accountPresets.map((preset) => [preset.name, preset] as const))(
  'the preset %s is an account that could be made',
  (_, preset) => {
    for (const field of ['platform', 'url', 'authHeader', 'modelMapping', 'flags'] as const)
      expect(accountFields[field].safeParse(preset[field]).error).toBeUndefined()
    expect(platforms[preset.platform]?.opensWith).toBe('api_key')
  },
)

test('presets have names of their own', () => {
  expect(new Set(accountPresets.map(({ name }) => name)).size).toBe(accountPresets.length)
})
