import { expect, test } from 'vitest'
import { listenToAnthropic } from '../../server/upstreams/formats/anthropic/events.ts'
import { createUsageReader } from '../../server/upstreams/formats/anthropic/usage.ts'
import { createSseScanner } from '../../server/upstreams/formats/sse.ts'
import { anthropicStream, frame } from './sse-streams.ts'

/** A stream through scanner and meter: what went out, how often something was unreadable, and what was read. */
function run(stream: string) {
  const usage = createUsageReader()
  let told = 0
  const scanner = createSseScanner(
    listenToAnthropic({
      messageStart: (json) => usage.start(json),
      contentStart: () => {},
      delta: (chars) => usage.text(chars),
      messageDelta: (json) => usage.delta(json),
      messageStop: () => usage.stop(),
      unreadable() {
        told++
        usage.unreadable()
      },
      errorEvent: () => {},
      nameless: () => {},
    }),
  )
  const out = Buffer.concat(scanner.push(Buffer.from(stream))).toString()
  return { out, told, reading: usage.reading() }
}

test.each([
  ['a delta that is cut off', 'content_block_delta', '{"type":"content_block_delta","index":0,'],
  ['a delta cut off in its text', 'content_block_delta', '{"type":"content_block_delta","delta":{"text":"ab'],
  ['a delta that is no JSON', 'content_block_delta', 'oops'],
  ['a block that is cut off', 'content_block_start', '{"type":"content_block_start","index":3,"content'],
  ['an end that is cut off', 'content_block_stop', '{"type":'],
])('fault 27: %s goes out as it came, and the usage of the stream is partial', (_name, event, data) => {
  const bad = `event: ${event}\ndata: ${data}\n\n`
  const whole = anthropicStream()
  const at = whole.indexOf('event: message_delta')
  const { out, told, reading } = run(whole.slice(0, at) + bad + whole.slice(at))
  expect(out).toBe(whole.slice(0, at) + bad + whole.slice(at))
  expect(told).toBe(1)
  expect(reading).toMatchObject({ source: 'partial', tokens: { input: 10, output: 42 }, flags: ['unreadable'] })
})

test('what is nobody’s event, and a delta without text, leave the usage final', () => {
  const odd = 'data: [DONE]\n\nevent: news\ndata: {"half\n\n: comment\n\n'
  const signature = frame('content_block_delta', { delta: { type: 'signature_delta', signature: 'x' } })
  expect(run(anthropicStream() + odd + signature).reading.source).toBe('final')
})
