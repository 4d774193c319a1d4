import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, createJoiner } from '../../server/relay/request/joined.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }).map(Buffer.from), { minLength: 1, maxLength: 8 })

test('a body in pieces is the same joined, and so is every span of it', () => {
  const joined = createJoiner()
  fc.assert(
    fc.property(pieces, fc.nat(), fc.nat(), (chunks, one, other) => {
      const whole = Buffer.concat(chunks)
      expect(Buffer.compare(joined({ chunks, length: whole.length }), whole)).toBe(0)
      const [start, end] = [one % (whole.length + 1), other % (whole.length + 1)].sort((a, b) => a - b) as [
        number,
        number,
      ]
      expect(Buffer.compare(bytesOf({ chunks }, { start, end }), whole.subarray(start, end))).toBe(0)
    }),
  )
})

test('the next body takes the place of the one before, whatever their sizes', () => {
  const joined = createJoiner()
  for (const size of [10, 300_000, 20, 5_000_000, 600_000]) {
    const chunks = [Buffer.alloc(size, 1), Buffer.alloc(3, 2)]
    expect(Buffer.compare(joined({ chunks, length: size + 3 }), Buffer.concat(chunks))).toBe(0)
  }
})
