/** `npm run bench:translation`: CPU time of a translated event and memory of a translated stream, against their bounds. See README.md. */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { defaultFormatFlags } from '../server/accounts/format-flags.ts'
import type { Format, StreamReader } from '../server/upstreams/format.ts'
import { translate } from '../server/upstreams/translate/table.ts'

type Name = Format['name']

const maxUsAnEvent = 30
const maxKbAStream = 200
const eventsInBurst = 200
const rounds = 15
const burstsARound = 100
const openStreams = 500

const deltaText = 'a delta of about forty characters, usual'
const named = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const usage = { input_tokens: 50, output_tokens: 9 }

/** A stream of each format: what comes first, one delta, what comes last. */
const streams: Record<Name, { first: string; delta: string; last: string }> = {
  anthropic: {
    first:
      named('message_start', {
        message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage },
      }) + named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    delta: named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: deltaText } }),
    last:
      named('content_block_stop', { index: 0 }) +
      named('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } }) +
      named('message_stop', {}),
  },
  chat: {
    first: chunk({ role: 'assistant', content: '' }),
    delta: chunk({ content: deltaText }),
    last: `${chunk({}, 'stop')}data: [DONE]\n\n`,
  },
  responses: {
    first:
      named('response.created', { response: { id: 'resp_1', model: 'm' } }) +
      named('response.output_item.added', { output_index: 0, item: { id: 'msg_1', type: 'message', content: [] } }),
    delta: named('response.output_text.delta', {
      item_id: 'msg_1',
      output_index: 0,
      content_index: 0,
      delta: deltaText,
    }),
    last: named('response.completed', { response: { id: 'resp_1', model: 'm', output: [], usage } }),
  },
}

const bodies: Record<Name, Record<string, unknown>> = {
  anthropic: { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'Hi' }] },
  chat: { model: 'm', stream: true, messages: [{ role: 'user', content: 'Hi' }] },
  responses: { model: 'm', stream: true, input: 'Hi' },
}

const names = Object.keys(streams) as Name[]
const pairs = names.flatMap((client) =>
  names.filter((name) => name !== client).map((upstream) => ({ client, upstream })),
)

const openReader = (client: Name, upstream: Name): StreamReader =>
  translate(client, upstream, bodies[client], {
    accountId: 1,
    modelRequested: 'm',
    modelSent: 'm',
    flags: defaultFormatFlags,
    user: null,
    defaultMaxTokens: 1000,
    promptTokens: 50,
    requestId: 'r1',
    nowMs: 0,
  }).createStreamReader('sk-upstream-0123456789')

/** CPU time of an event in microseconds: bursts of 200 deltas, `perChunk` of them in a chunk. The median of the rounds. */
function cpuOf(client: Name, upstream: Name, perChunk: number): number {
  const { first, delta, last } = streams[upstream]
  const chunkBytes = Buffer.from(delta.repeat(perChunk))
  const oneRound = (): number => {
    const readers = Array.from({ length: burstsARound }, () => openReader(client, upstream))
    for (const reader of readers) reader.push(Buffer.from(first))
    let written = 0
    const before = process.cpuUsage()
    for (const reader of readers)
      for (let sent = 0; sent < eventsInBurst; sent += perChunk) written += reader.push(chunkBytes).length
    const { user, system } = process.cpuUsage(before)
    for (const reader of readers) {
      reader.push(Buffer.from(last))
      reader.end()
      if (!reader.isFinished || written === 0) throw new Error(`${client} ← ${upstream}: the stream is not whole`)
    }
    return (user + system) / (burstsARound * eventsInBurst)
  }
  // V8 compiles for the first rounds.
  for (let i = 0; i < 5; i++) oneRound()
  const all = Array.from({ length: rounds }, oneRound).sort((one, other) => one - other)
  return all[rounds >> 1]!
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Memory of an open stream in KB after a burst, of many that are open at once. */
function memoryOf(client: Name, upstream: Name): number {
  const { first, delta } = streams[upstream]
  const used = (): number => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const burst = Buffer.from(first + delta.repeat(eventsInBurst))
  const before = used()
  const readers = Array.from({ length: openStreams }, () => openReader(client, upstream))
  // A torn event at the end is held.
  for (const reader of readers) reader.push(Buffer.concat([burst, Buffer.from(delta.slice(0, 60))]))
  const bytes = used() - before
  return readers.length > 0 ? bytes / openStreams / 1024 : Number.NaN
}

let isOk = true
function judged(value: number, most: number): string {
  const ok = value <= most
  isOk &&= ok
  return ok ? 'PASS' : 'FAIL'
}

console.log(`client ← upstream           µs an event, burst in one chunk | a chunk each | KB a stream`)
for (const { client, upstream } of pairs) {
  const together = cpuOf(client, upstream, eventsInBurst)
  const apart = cpuOf(client, upstream, 1)
  const memory = memoryOf(client, upstream)
  const pair = `${client} ← ${upstream}`.padEnd(26)
  console.log(
    `${pair}  ${together.toFixed(1).padStart(6)} ${judged(together, maxUsAnEvent)} | ${apart.toFixed(1).padStart(6)} ${judged(apart, maxUsAnEvent)} | ${memory.toFixed(0).padStart(5)} ${judged(memory, maxKbAStream)}`,
  )
}
console.log(`bounds: ${maxUsAnEvent} µs of CPU an event, ${maxKbAStream} KB a stream: ${isOk ? 'PASS' : 'FAIL'}`)
process.exitCode = isOk ? 0 : 1
