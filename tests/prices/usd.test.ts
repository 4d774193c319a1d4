import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatUsd, parseRate, parseUsd } from '../../server/money/usd.ts'

test.each([
  ['12.50', 12_500_000_000n],
  ['0', 0n],
  ['5', 5_000_000_000n],
  ['0.000000001', 1n],
  ['0.1', 100_000_000n],
  ['9223372036.854775807', 2n ** 63n - 1n],
])('%s dollars are %s nano-dollars', (text, nano) => {
  expect(parseUsd(text)).toBe(nano)
})

test.each([
  ['1e3', 'UsdExponent'],
  ['1.5E-3', 'UsdExponent'],
  ['-1', 'UsdNegative'],
  ['-0.5', 'UsdNegative'],
  ['0.0000000001', 'UsdTooPrecise'],
  ['1.0000000000', 'UsdTooPrecise'],
  ['9223372036.854775808', 'UsdTooLarge'],
  ...['', ' 1', '1 ', '1\n', '.5', '1.', '+1', '1,5', '1.2.3', '$5', '0x10', '1_000', 'NaN', 'Infinity', 'e5', '٣'].map(
    (text) => [text, 'UsdMalformed'],
  ),
])('%j is refused as %s', (text, name) => {
  expect(() => parseUsd(text!)).toThrow(expect.objectContaining({ name }))
})

test('a refusal quotes no more than forty characters', () => {
  expect(() => parseUsd('9'.repeat(5_000))).toThrow(/^"9{40}" is not an amount/)
})

test.each([
  [1_926_000, '0.001926'],
  [12_500_000_000n, '12.5'],
  [0, '0'],
  [-1, '-0.000000001'],
  [5_000_000_000n, '5'],
  [100_000_000_000, '100'],
  [Number.MAX_SAFE_INTEGER, '9007199.254740991'],
])('%s nano-dollars are written %s', (nano, text) => {
  expect(formatUsd(nano)).toBe(text)
})

test('a number that is not exact is not written at all', () => {
  for (const nano of [0.5, 2 ** 53, Number.NaN]) expect(() => formatUsd(nano)).toThrow(RangeError)
})

test('what was written reads back as the same amount', () => {
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 63n - 1n), (nano) => parseUsd(formatUsd(nano)) === nano))
})

test('rates are exact where nano-dollars would not be', () => {
  expect(parseRate('0.003625')).toBe(3_625)
  for (const text of ['0.0000001', '-1', '', 'abc']) expect(() => parseRate(text)).toThrow(RangeError)
})
