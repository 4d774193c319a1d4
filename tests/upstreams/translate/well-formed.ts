import { expect } from 'vitest'
import type { Format } from '../../../server/upstreams/format.ts'
import { eventsOf } from '../../../server/upstreams/formats/sse-events.ts'
import { type Fields, isFields, itemsOf, textOf } from '../../../server/upstreams/translate/untranslatable.ts'

export interface Read {
  /** The data of the events, without the mark of the end. */
  events: Fields[]
  /** What the stream ended with; `nothing`: a client would wait, or break. */
  end: 'success' | 'error' | 'nothing'
}

/** Reads a stream of a client, and checks that the client's SDK would take it: order, indices, one end, and nothing after it. */
export function readWellFormed(format: Format['name'], text: string): Read {
  const all = eventsOf(Buffer.from(text))
  // A stream is whole events: the parser keeps what has no blank line.
  expect(text === '' || text.endsWith('\n\n'), `torn: ${text.slice(-200)}`).toBe(true)
  const done = all.findIndex(({ data }) => data === '[DONE]')
  if (done >= 0) expect([format, done], 'one [DONE], the last').toEqual(['chat', all.length - 1])
  const events = all.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data) as Fields)
  if (format !== 'chat') for (const [at, { event }] of all.entries()) expect(event).toBe(events[at]!['type'])
  const read = { anthropic: readMessages, chat: readChat, responses: readResponses }[format](events)
  if (format === 'chat' && read === 'success') expect(done, text).toBeGreaterThan(0)
  if (format === 'chat' && read === 'error') expect(done, text).toBe(-1)
  return { events, end: read }
}

const only = (events: Fields[], ends: readonly number[]): void => {
  if (ends.length > 0) expect(ends, 'one end, the last event').toEqual([events.length - 1])
}

const at = (events: Fields[], is: (event: Fields) => boolean): number[] =>
  events.flatMap((event, index) => (is(event) ? [index] : []))

function readMessages(events: Fields[]): Read['end'] {
  only(
    events,
    at(events, ({ type }) => type === 'message_stop' || type === 'error'),
  )
  const starts = at(events, ({ type }) => type === 'message_start')
  if (events.some(({ type }) => type !== 'error' && type !== 'ping')) expect(starts).toEqual([0])
  let open: unknown = null
  let next = 0
  let json = ''
  const isCut = events.some(({ delta }) => isFields(delta) && delta['stop_reason'] === 'max_tokens')
  for (const { type, index, content_block: block, delta } of events) {
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([null, next++])
      open = index
      json = isFields(block) && block['type'] === 'tool_use' ? '' : 'null'
    } else if (type === 'content_block_delta') {
      expect(index).toBe(open)
      if (isFields(delta)) json += textOf(delta['partial_json'])
    } else if (type === 'content_block_stop') {
      expect(index).toBe(open)
      open = null
      if (json !== 'null' && !isCut) expect(isFields(JSON.parse(json || '{}'))).toBe(true)
    }
  }
  const last = events.at(-1)?.['type']
  if (last !== 'message_stop') return last === 'error' ? 'error' : 'nothing'
  expect(open).toBeNull()
  expect(events.at(-2)).toMatchObject({ type: 'message_delta', delta: { stop_reason: expect.any(String) } })
  return 'success'
}

function readChat(events: Fields[]): Read['end'] {
  only(
    events,
    at(events, (event) => event['error'] !== undefined),
  )
  const choices = events.flatMap((event) => itemsOf(event['choices']))
  const finishes = at(choices, ({ finish_reason: finish }) => typeof finish === 'string')
  only(choices, finishes)
  const begun = new Set<unknown>()
  for (const { delta } of choices) {
    for (const { index, id } of itemsOf((delta as Fields)['tool_calls'])) {
      if (id === undefined) expect(begun.has(index), 'a piece of a call that never began').toBe(true)
      else expect(index).toBe(begun.size)
      begun.add(index)
    }
  }
  if (isFields(events.at(-1)?.['error'])) return 'error'
  return finishes.length === 1 ? 'success' : 'nothing'
}

function readResponses(events: Fields[]): Read['end'] {
  const ends = ['response.completed', 'response.incomplete', 'response.failed', 'error']
  only(
    events,
    at(events, ({ type }) => ends.includes(textOf(type))),
  )
  expect(at(events, ({ type }) => type === 'response.created').length).toBeLessThanOrEqual(1)
  const open = new Set<unknown>()
  let next = 0
  for (const { type, output_index: index } of events) {
    if (index === undefined) continue
    if (type === 'response.output_item.added') {
      expect(index).toBe(next++)
      open.add(index)
    } else expect(open.has(index), `${textOf(type)} of an item that is not open`).toBe(true)
    if (type === 'response.output_item.done') open.delete(index)
  }
  const last = textOf(events.at(-1)?.['type'])
  if (last === 'response.failed' || last === 'error') return 'error'
  if (!ends.includes(last)) return 'nothing'
  expect(open.size).toBe(0)
  return 'success'
}
