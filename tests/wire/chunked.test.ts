import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkedReader } from '../../server/wire/chunked.ts'

/** Reads `wire` in pieces that end at the given places. */
function read(wire: Buffer, cuts: readonly number[] = []): { payload: string; reader: ChunkedReader; rest: string } {
  const reader = new ChunkedReader()
  const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < wire.length))].sort((a, b) => a - b)
  let payload = ''
  let at = 0
  for (const end of [...ends, wire.length]) {
    if (reader.done || reader.failed) break
    const piece = Buffer.from(wire.subarray(at, end))
    at += reader.read(piece, 0, piece.length)
    payload += piece.toString('latin1', reader.from, reader.to)
  }
  return { payload, reader, rest: wire.toString('latin1', at) }
}

const encoded = (chunks: readonly string[], end = '0\r\n\r\n'): Buffer =>
  Buffer.from(`${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}${end}`, 'latin1')

test('the payload is the same wherever the bytes are cut, and what follows is left alone', () => {
  const chunk = fc.string({
    minLength: 1,
    maxLength: 40,
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  })
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 12 }), fc.array(fc.nat(600), { maxLength: 8 }), (chunks, cuts) => {
      const { payload, reader, rest } = read(Buffer.concat([encoded(chunks), Buffer.from('HTTP/1.1')]), cuts)
      expect(payload).toBe(chunks.join(''))
      expect(reader).toMatchObject({ done: true, failed: false })
      expect('HTTP/1.1'.endsWith(rest) || rest === 'HTTP/1.1').toBe(true)
    }),
  )
})

test('small chunks of one read lie together afterwards', () => {
  const wire = encoded(['event: a\n', 'data: 1\n\n', 'event: b\n'])
  const reader = new ChunkedReader()
  expect(reader.read(wire, 0, wire.length)).toBe(wire.length)
  expect(wire.toString('latin1', reader.from, reader.to)).toBe('event: a\ndata: 1\n\nevent: b\n')
})

test.each([
  ['extensions', '3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n'],
  ['upper case and leading zeros', '00000A\r\n0123456789\r\n0\r\n\r\n'],
  ['trailers', '3\r\nabc\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n'],
])('%s are read over', (_what, text) => {
  const wire = Buffer.from(text)
  for (let cut = 0; cut < wire.length; cut++) expect(read(wire, [cut]).reader).toMatchObject({ done: true })
})

test.each([
  ['no size', '\r\nabc\r\n'],
  ['a size that is none', 'x\r\nabc\r\n'],
  ['space behind a size', '3 \r\nabc\r\n0\r\n\r\n'],
  ['a sign', '+3\r\nabc\r\n'],
  ['0x', '0x3\r\nabc\r\n'],
  ['a bare line feed behind the size', '3\nabc\r\n0\r\n\r\n'],
  ['a bare carriage return', '3\rXabc'],
  ['a chunk longer than it says', '3\r\nabcd\r\n'],
  ['a chunk that ends in a line feed', '3\r\nabc\n0\r\n\r\n'],
  ['an extension without a name', '3;\r\nabc\r\n'],
  ['a space in an extension', '3;a b=c\r\nabc\r\n'],
  ['an extension whose quotes do not end', '3;a="b\r\nabc\r\n'],
  ['a line feed in an extension', '3;a\nb\r\nabc\r\n'],
  ['a size beyond what a number holds', `${'1'.repeat(14)}\r\n`],
  ['an endless extension', `3;${'a'.repeat(20_000)}`],
  ['endless trailers', `0\r\n${'a: b\r\n'.repeat(5_000)}`],
])('%s fails, wherever it is cut', (_what, text) => {
  const wire = Buffer.from(text)
  const step = Math.max(1, Math.floor(wire.length / 40))
  for (let cut = 0; cut < wire.length; cut += step) {
    expect(read(wire, [cut]).reader).toMatchObject({ failed: true, done: false })
  }
})
