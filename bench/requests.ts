/** The requests that the generator sends: a small one, and one of the size and form of Claude Code's. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const model = 'claude-sonnet-4-5'
const words =
  'the request reads a file then checks every line of "config" against C:\\schema and keeps\twhat holds while a budget remains'.split(
    ' ',
  )

/** Text of about `length` characters with newlines, quotes and backslashes, like source code; the same in every run. */
function prose(length: number, seed: number): string {
  let text = ''
  let state = seed
  while (text.length < length) {
    state = (state * 1103515245 + 12345) % 2147483648
    text += words[state % words.length] + (state % 13 === 0 ? '\n' : ' ')
  }
  return text.slice(0, length)
}

/** A tool whose schema has properties with the names of the body's own fields: `model` must be read at depth 1 only. */
function tool(number: number) {
  const property = (at: number) => ({ type: 'string', description: prose(150, number * 31 + at) })
  return {
    name: `Tool${number}`,
    description: prose(1400, number),
    input_schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        path: property(1),
        model: property(2),
        stream: { type: 'boolean' },
        pattern: property(3),
        limit: property(4),
      },
      required: ['path', 'pattern'],
      additionalProperties: false,
    },
  }
}

/** Two messages of a long conversation: a tool call and its result. */
function turn(number: number) {
  const id = `toolu_bench_${String(number).padStart(4, '0')}`
  return [
    {
      role: 'assistant',
      content: [
        { type: 'text', text: prose(400, number) },
        {
          type: 'tool_use',
          id,
          name: `Tool${number % 12}`,
          input: { path: `/src/part${number}.ts`, pattern: prose(60, number) },
        },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: prose(4000, number + 7) }] },
  ]
}

/** About 1 KB. */
export function smallRequest(stream: boolean): string {
  return JSON.stringify({
    model,
    max_tokens: 1024,
    messages: [{ role: 'user', content: prose(900, 1) }],
    stream,
  })
}

/** About 150 KB, with a streamed response: 12 tools (31 KB), 28 KB of system text, a conversation with tool results. */
export function largeRequest(): string {
  return JSON.stringify({
    model,
    messages: [{ role: 'user', content: prose(1500, 3) }, ...Array.from({ length: 18 }, (_, i) => turn(i)).flat()],
    system: [
      { type: 'text', text: prose(200, 5) },
      { type: 'text', text: prose(28_000, 6), cache_control: { type: 'ephemeral' } },
    ],
    tools: Array.from({ length: 12 }, (_, i) => tool(i)),
    metadata: { user_id: 'bench' },
    max_tokens: 32_000,
    stream: true,
  })
}

/** Request line and headers for `load`: one per line, no empty line at the end. As many as the real client sends. */
export function requestHead(port: number, path: string, secret: string): string {
  return [
    `POST ${path}?beta=true HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'connection: keep-alive',
    'accept: application/json',
    'content-type: application/json',
    'user-agent: relay-bench/1',
    `authorization: Bearer ${secret}`,
    'anthropic-version: 2023-06-01',
    'anthropic-beta: interleaved-thinking-2025-05-14,context-management-2025-06-27',
    'x-stainless-lang: js',
    'x-stainless-retry-count: 0',
    'x-stainless-runtime: node',
    'x-stainless-timeout: 600',
    'accept-language: *',
    'accept-encoding: gzip, deflate, br',
    '',
  ].join('\r\n')
}

/** Writes a file into the bench's folder and returns its path and its size in bytes. */
export function keep(folder: string, name: string, text: string): { path: string; bytes: number } {
  const path = join(folder, name)
  writeFileSync(path, text)
  return { path, bytes: Buffer.byteLength(text) }
}
