import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLog, roomLog } from '../server/log.ts'
import { redactText, redactUrl } from '../server/redaction.ts'

function recordingLog(level: 'info' | 'warn' = 'info') {
  const lines: string[] = []
  return { log: createLog({ level, to: { write: (line: string) => lines.push(line) } }), lines }
}

test('one event is one line, whatever its text holds', () => {
  const { log, lines } = recordingLog()
  log.info({ agent: 'a\r\nb' }, 'first\nsecond\u2028third')
  expect(lines).toHaveLength(1)
  expect(lines[0]?.trimEnd()).not.toMatch(/[\r\n]/)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', agent: 'a\r\nb', msg: 'first\nsecond\u2028third' })
})

test('secret fields are taken out at any depth, in children, and in raw header lists', () => {
  const { log, lines } = recordingLog()
  const fields = {
    authorization: 'hidden',
    headers: { 'X-Api-Key': 'hidden', 'Proxy-Authorization': ['hidden'], cookie: 'hidden', 'set-cookie': ['hidden'] },
    list: [{ a: { b: { secret: 'hidden', password: { old: 'hidden' }, refreshToken: 'hidden' } } }],
    rawHeaders: ['host', 'shown', 'x-api-key', 'hidden'],
    proxy: 'socks5://me:hidden@proxy:1080',
    body: Buffer.from('hidden'),
    map: new Map([['apiKey', 'hidden']]),
  }
  log.info(fields, 'done')
  log.child({ master_secret: 'hidden' }).child({ token: 'hidden' }).warn('nested')
  expect(lines.join('')).not.toContain('hidden')
  expect(lines.join('')).not.toContain('aGlkZGVu')
  expect(lines.join('')).toContain('shown')
  expect(lines.join('')).toContain('socks5://proxy:1080')
})

test('counts and names that only sound secret stay', () => {
  const { log, lines } = recordingLog()
  log.info({ inputTokens: 3, tokens: 4, apiKeyId: 5, secretHint: 'sk-…abcd', cost: 12n, hasSecret: true })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    inputTokens: 3,
    tokens: 4,
    apiKeyId: 5,
    secretHint: 'sk-…abcd',
    cost: '12',
    hasSecret: true,
  })
})

test('messages, their arguments and errors with causes are cleaned', () => {
  const { log, lines } = recordingLog()
  const cause = new AggregateError([new Error('Bearer hidden-hidden')], 'mysql://root:hidden@db/relay is away')
  const error = Object.assign(new Error('no https://me:hidden@host/', { cause }), {
    code: 'EAWAY',
    config: { password: 'hidden' },
  })
  log.error(error)
  log.error(error, 'with a message')
  log.error({ err: error }, 'for %s and %j', 'https://me:hidden@host/', { token: 'hidden' })
  log.error(`key sk-hidden-0123456789 failed`)
  expect(lines.join('')).not.toContain('hidden')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    err: { message: 'no https://host/', code: 'EAWAY', cause: { message: 'mysql://db/relay is away' } },
  })
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ msg: 'with a message' })
  expect(JSON.parse(lines[2] ?? '').msg).toMatch(/^for https:\/\/host\/ and \{/)
})

test('an object that holds itself is logged all the same', () => {
  const { log, lines } = recordingLog()
  const ring: Record<string, unknown> = {}
  ring['ring'] = ring
  log.info(ring, 'round')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'round' })
})

test('a room names itself on its lines, and the level decides which are written', () => {
  const { log, lines } = recordingLog('warn')
  const room = roomLog(log, 'store')
  room.info('not this')
  room.warn('this')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'warn', room: 'store', msg: 'this' }])
})

test('a file is appended to, its folder made, and each line is there at once', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'log-')), 'deep', 'relay.log')
  createLog({ level: 'info', file }).info('one')
  createLog({ level: 'info', file }).info('two')
  // Its owner's alone: lines name people and addresses.
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['one', 'two'])
})

test.each([
  ['https://me:pass@host:1/path', 'https://host:1/path'],
  ['socks5h://me@host', 'socks5h://host'],
  ['mysql://root:p@ss@db/x and redis://:p@cache', 'mysql://db/x and redis://cache'],
  ['https://host/@scope/name?x=a@b', 'https://host/@scope/name?x=a@b'],
  ['GET /stats/api-key?api_key=abc&x=1', 'GET /stats/api-key?api_key=[redacted]&x=1'],
  ['mail me@host', 'mail me@host'],
])('redactUrl(%j) is %j', (text, expected) => {
  expect(redactUrl(text)).toBe(expected)
})

test('a long text is cleaned in time proportional to its length', () => {
  const timeOf = (text: string) => {
    const start = performance.now()
    redactText(text)
    return performance.now() - start
  }
  for (const piece of ['a', '://', 'sk-', '?key', 'Bearer ', 'a@'])
    expect(timeOf(piece.repeat(400_000 / piece.length)), piece).toBeLessThan(1_000)
})

test('as text an event is one plain line: time, level, room, message, fields; a stack stays out', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'text', to: { write: (line: string) => lines.push(line) } })
  roomLog(log, 'store').warn({ err: new Error('gone'), apiKey: 'hidden', rows: 2 }, 'first\nsecond')
  expect(lines.join('')).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}store first second err=\{"type":"Error","message":"gone"\} apiKey="\[redacted\]" rows=2\n$/,
  )
})
