import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { anthropicFormat } from '../../server/upstreams/formats/anthropic/anthropic.ts'

/** Every legal framing of one stream (the SSE standard) is metered in the same way, and passes byte for byte. */

const file = readFileSync(new URL('./cases/sse-as-json.txt', import.meta.url), 'utf8')
const plain = file.slice(file.indexOf('event:')).trimEnd().concat('\n\n')
const events = plain
  .trimEnd()
  .split('\n\n')
  .map((one) => one.split('\n') as [name: string, data: string])
const framed = (frame: (name: string, data: string) => string): string =>
  events.map(([name, data]) => `${frame(name, data)}\n\n`).join('')

function read(stream: string, chunkBytes: number) {
  const reader = anthropicFormat.createStreamReader('')
  const bytes = Buffer.from(stream)
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) out.push(...reader.push(bytes.subarray(at, at + chunkBytes)))
  out.push(...reader.end())
  return { text: Buffer.concat(out).toString(), reader }
}

const framings: Record<string, string> = {
  plain,
  'data before event': framed((name, data) => `${data}\n${name}`),
  'id behind data': framed((name, data) => `${name}\n${data}\nid: 5`),
  'unknown field behind data': framed((name, data) => `${name}\n${data}\nx-odd: 5`),
  'id first': framed((name, data) => `id: 5\n${name}\n${data}`),
  'retry first': framed((name, data) => `retry: 5\n${name}\n${data}`),
  'several data lines': framed((name, data) => `${name}\n${data.replace(',"', ',\ndata: "')}`),
  CRLF: plain.replaceAll('\n', '\r\n'),
  CR: plain.replaceAll('\n', '\r'),
  'no space after the colon': plain.replaceAll(/^(event|data): /gm, '$1:'),
  'a comment inside': framed((name, data) => `${name}\n: hello\n${data}`),
  'an unknown event between': framed((name, data) => `event: odd\ndata: {"type":"odd"}\n\n${name}\n${data}`),
  'DONE behind the end': `${plain}data: [DONE]\n\n`,
  'a byte order mark': `\ufeff${plain}`,
}

test.each(
  Object.entries(framings).flatMap(([name, stream]) => [1, 7, 1e6].map((size) => [name, size, stream] as const)),
)('faults 11, 27: %s in pieces of %d bytes', (_name, size, stream) => {
  const { text, reader } = read(stream, size)
  expect(text).toBe(stream)
  expect(reader).toMatchObject({ started: true, hasContent: true, isFinished: true, error: null })
  expect(reader.reading()).toMatchObject({ source: 'final', tokens: { input: 100, output: 10 } })
})

test.each([1, 7, 1e6])('a stream without names gets them, in pieces of %d bytes', (size) => {
  const { text, reader } = read(
    framed((_name, data) => data),
    size,
  )
  expect(text).toBe(plain)
  expect(reader.reading()).toMatchObject({ source: 'final', tokens: { input: 100, output: 10 } })
})
