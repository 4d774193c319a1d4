import { expect, test } from 'vitest'
import { bytesWithoutSecret, withoutSecret } from '../../server/upstreams/quoted-secret.ts'

const secret = 'sk-ant-oat01-0123456789abcdef'

test('a secret is taken out wherever it stands; bytes without one are the same object, and others keep every byte', () => {
  expect(withoutSecret(`a ${secret}${secret} b`, secret)).toBe('a [redacted][redacted] b')
  expect(withoutSecret('nothing of it', secret)).toBe('nothing of it')
  const plain = Buffer.from('{"message":"你好"}')
  expect(bytesWithoutSecret(plain, secret)).toBe(plain)
  const odd = Buffer.concat([Buffer.of(0xff, 0x00, 0xe4), Buffer.from(secret), Buffer.from('你')])
  const expected = Buffer.concat([Buffer.of(0xff, 0x00, 0xe4), Buffer.from('[redacted]你')])
  expect(bytesWithoutSecret(odd, secret).equals(expected)).toBe(true)
})

test('what is too short to be a secret is looked for nowhere', () => {
  expect(withoutSecret('a b a', 'a')).toBe('a b a')
  expect(withoutSecret('x', '')).toBe('x')
  const bytes = Buffer.from('short-one')
  expect(bytesWithoutSecret(bytes, 'short-one')).toBe(bytes)
})
