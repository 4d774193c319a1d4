import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeal, SealBroken } from '../../server/store/seal.ts'

const master = randomBytes(32)
const secret = 'sk-ant-ort01-very-secret'

test('a sealed text opens again for the same row, and looks different every time', () => {
  const box = createSeal(master)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, aad) => {
      expect(box.open(box.seal(plain, aad), aad)).toBe(plain)
    }),
  )
  expect(box.seal(secret, 'a')).not.toBe(box.seal(secret, 'a'))
  expect(box.seal(secret, 'a')).not.toContain(secret)
})

test('a sealed text moved to another row, sealed with another key or changed anywhere does not open, and the error tells nothing', () => {
  const box = createSeal(master)
  const sealed = box.seal(secret, 'accounts:7:secret')
  const broken = (action: () => string, reason: string): void => {
    let error: unknown
    try {
      action()
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(SealBroken)
    const { message, cause } = error as SealBroken
    expect(message).toContain(reason)
    expect(cause).toBeUndefined()
    for (const content of [secret, 'accounts', sealed.slice(20), master.toString('hex')])
      expect(message).not.toContain(content)
  }
  broken(() => box.open(sealed, 'accounts:8:secret'), 'another row')
  broken(() => createSeal(randomBytes(32)).open(sealed, 'accounts:7:secret'), 'a key that this process does not have')
  broken(() => box.open('', 'accounts:7:secret'), 'not a sealed text')
  broken(() => box.open(secret, 'accounts:7:secret'), 'not a sealed text')
  for (let length = 0; length < sealed.length; length++)
    broken(() => box.open(sealed.slice(0, length), 'accounts:7:secret'), '')
  const start = sealed.lastIndexOf('.') + 1
  for (let at = start; at < sealed.length - 1; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A'
    broken(() => box.open(sealed.slice(0, at) + other + sealed.slice(at + 1), 'accounts:7:secret'), 'changed')
  }
})

test('after a rotation what the retired key sealed still opens, and new texts carry the new key', () => {
  const before = createSeal(master)
  const next = randomBytes(32)
  const after = createSeal(next, [master])
  expect(after.open(before.seal(secret, 'row'), 'row')).toBe(secret)
  expect(createSeal(next).open(after.seal(secret, 'row'), 'row')).toBe(secret)
  expect(after.fingerprint).not.toBe(before.fingerprint)
})

test('the digest is HMAC-SHA-256 under a key of its own, for any text of any length', () => {
  const seal = createSeal(master)
  const digests = [...Array(400).keys()].map((length) => 'x'.repeat(length))
  expect(new Set(digests.map((text) => seal.hmac(text))).size).toBe(400)
  // The key of `hmac` is not exported; it is derived here in the same way.
  const key = Buffer.from(hkdfSync('sha256', master, '', 'claude-code-relay:hmac', 32))
  const oracle = (text: string): string => createHmac('sha256', key).update(text).digest('hex')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 1200 }), (text) => {
      expect(seal.hmac(text)).toBe(oracle(text))
    }),
  )
  for (const text of ['', 'sk-1', 'é'.repeat(341), '\ud83d', '語'.repeat(342), 'a'.repeat(5000)]) {
    expect(seal.hmac(text)).toBe(oracle(text))
  }
  // A long text has no effect on a short one after it.
  expect(seal.hmac('short')).toBe(oracle('short'))
})

test('derived keys differ by purpose and by master key, and stay the same over restarts', () => {
  const seal = createSeal(master)
  expect(seal.derive('sessions')).toHaveLength(32)
  expect(seal.derive('sessions')).toEqual(createSeal(Buffer.from(master)).derive('sessions'))
  const all = [seal.derive('sessions'), seal.derive('mail'), createSeal(randomBytes(32)).derive('sessions'), master]
  expect(new Set(all.map((key) => key.toString('hex'))).size).toBe(4)
  expect(createSeal(master).fingerprint).toMatch(/^[0-9a-f]{16}$/)
  expect(createSeal(master).fingerprint).toBe(seal.fingerprint)
})

test('what is sealed and digested today opens and matches after an upgrade', () => {
  const seal = createSeal(Buffer.alloc(32, 7))
  expect(seal.fingerprint).toBe('88e3d589b15851d3')
  expect(seal.hmac('sk-1')).toBe('e31d03208c66973cb85b92fa37ae5f4e76f2bf2346e1bfc021534ec919294dd8')
  expect(
    seal.open(
      'v1.88e3d589b15851d3.R390smE392Ta7nLoZZd-M3a2bntNYseQy5OsVQ0maoFUlF9LAZC_toVZ1HzdwkA918BTNw',
      'accounts:7:secret',
    ),
  ).toBe(secret)
})

test('a short master key is refused', () => {
  expect(() => createSeal(Buffer.alloc(31))).toThrow('at least 32 bytes')
  expect(() => createSeal(master, [Buffer.alloc(16)])).toThrow('at least 32 bytes')
})
