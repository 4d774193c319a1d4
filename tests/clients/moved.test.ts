import { mkdtemp } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { usageOf } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import type { Recorded, Script } from '../support/fake-upstream.ts'
import { listening } from '../support/listening.ts'
import {
  block,
  deltaUsage,
  messageDelta,
  messageStart,
  messageStop,
  textBlock,
  toolBlock,
} from '../support/sse-fixtures.ts'
import { isMain, newest, putFile, withDesk } from './claude-code.ts'

const prompt = 'Please say the three words.'
const answer = 'word 0 你好 🙂 word 1 你好 🙂 word 2 你好 🙂'
const signature = 'RXFRQ0NrWUlBeEFDR0FJaVFBPT0='

/** Thinks, signs it, and calls a tool. */
const thinkThenCall =
  (name: string, input: object): Script =>
  async (exchange) => {
    const model = String(exchange.json['model'])
    const tokens = usageOf(exchange.request.body.length, exchange.request.index)
    exchange.count(model, tokens)
    await exchange.sse([
      messageStart(model, tokens, `msg_fake_${exchange.request.index}`),
      ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
        { type: 'thinking_delta', thinking: 'The note will tell.' },
        { type: 'signature_delta', signature },
      ]),
      ...toolBlock(1, name, [JSON.stringify(input)]),
      messageDelta('tool_use', deltaUsage(tokens)),
      messageStop,
    ])
  }

/** What an upstream of another organisation says of reasoning that it has not signed (protocol.md §0.9, §1.7). */
const mismatch =
  '{"type":"error", "error":{"message":"messages.1.content.0: Invalid `signature` in `thinking` block","type":"invalid_request_error",' +
  '"details":{"error_code":"organization_binding_mismatch"}},"request_id":"req_011CSHoEeqs5C35K2UUqR7Fy"}\n'
const refuseForeign: Script = (exchange) =>
  exchange.respond(400, { 'content-type': 'application/json', 'request-id': 'req_011CSHoEeqs5C35K2UUqR7Fy' }, mismatch)
const carriesReasoning = ({ body }: Recorded): boolean => body.includes(signature)

/** A line before the relay that keeps what the client is sent. */
async function tapped(base: string) {
  const { hostname, port, pathname } = new URL(base)
  const sent: Buffer[] = []
  const server = await listening(
    createServer((client) => {
      const relay = connect({ host: hostname, port: Number(port) })
      relay.on('data', (bytes: Buffer) => void sent.push(bytes))
      relay.on('error', () => client.destroy())
      client.on('error', () => relay.destroy())
      client.pipe(relay).pipe(client)
    }),
  )
  return { base: `http://127.0.0.1:${server.port}${pathname}`, sent: () => Buffer.concat(sent), close: server.close }
}

/** Thinks, signs it, and answers. */
const thinkThenSay: Script = async (exchange) => {
  const model = String(exchange.json['model'])
  const tokens = usageOf(exchange.request.body.length, exchange.request.index)
  exchange.count(model, tokens)
  await exchange.sse([
    messageStart(model, tokens, `msg_fake_${exchange.request.index}`),
    ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
      { type: 'thinking_delta', thinking: 'Easy.' },
      { type: 'signature_delta', signature },
    ]),
    ...textBlock(1, ['The first answer.']),
    messageDelta('end_turn', deltaUsage(tokens)),
    messageStop,
  ])
}

test('Claude Code goes on when its session moves to another account in the middle of a turn with signed thinking', () =>
  withDesk({ upstreams: 2 }, async (desk) => {
    const { claude, upstreams, relay, folder } = desk
    const [first, second] = upstreams
    const tap = await tapped(relay.base)
    const note = await putFile(folder, 'note.txt', 'the pelican flies at noon\n')
    const isTurn = (request: Recorded) => isMain(request, prompt)
    first!.scriptWhen(
      (request) => isTurn(request) && !request.body.includes('"tool_result"'),
      thinkThenCall('Read', { file_path: note }),
    )
    first!.scriptWhen(isTurn, refusal(429, 'rate_limit_error', 'limited', { 'retry-after': '3600' }))
    second!.scriptWhen((request) => isTurn(request) && carriesReasoning(request), refuseForeign)
    const ran = await claude(prompt, { base: tap.base })
    await tap.close()
    expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })

    // The first account served the first turn and refused the second; the reasoning went to the second one and was refused there.
    expect(first!.requests.filter(isTurn)).toHaveLength(2)
    const tries = second!.requests.filter(isTurn)
    expect(carriesReasoning(tries[0]!)).toBe(true)
    expect(tries[0]!.body.equals(first!.requests.filter(isTurn)[1]!.body)).toBe(true)
    // The client was told so in the upstream's own bytes, and took its reasoning out by itself.
    expect(tap.sent().includes(mismatch)).toBe(true)
    expect(carriesReasoning(tries.at(-1)!)).toBe(false)
    expect(tries.at(-1)!.body.includes('the pelican flies at noon')).toBe(true)
    console.info(`Claude Code ${newest}: ${tries.length} tries at the second account`)
    const rows = await relay.rows()
    expect(rows.filter((row) => row['http_status'] === 400)).toHaveLength(tries.length - 1)
    expect(rows.at(-1)).toMatchObject({ outcome: 'completed', http_status: 200 })
    // A 400 of the request's touches no account.
    expect((await relay.attempts()).filter((attempt) => attempt['outcome'] === 'caller')).toHaveLength(tries.length - 1)
  }))

test.each([false, true])(
  'Claude Code goes on when its session is at another account in the next turn (group strips foreign reasoning: %s)',
  (strips) =>
    withDesk({ upstreams: 2, groups: [{ name: 'g', stripForeignReasoning: strips }] }, async (desk) => {
      const { claude, upstreams, relay, folder } = desk
      const [first, second] = upstreams
      const home = await mkdtemp(join(folder, 'home-'))
      const session = '7d0f5a3e-1b2c-4d5e-8f90-a1b2c3d4e5f6'
      const take = first!.scriptWhen((request) => isMain(request, 'First question.'), thinkThenSay)
      const before = await claude('First question.', { home, args: ['--session-id', session] })
      expect(before).toMatchObject({ code: 0, stdout: 'The first answer.\n' })
      take()
      const isTurn = (request: Recorded) => isMain(request, prompt)
      first!.scriptWhen(isTurn, refusal(429, 'rate_limit_error', 'limited', { 'retry-after': '3600' }))
      second!.scriptWhen((request) => isTurn(request) && carriesReasoning(request), refuseForeign)
      const ran = await claude(prompt, { home, args: ['--resume', session] })
      expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
      const refusing = first!.requests.filter(isTurn)
      const tries = second!.requests.filter(isTurn)
      // The client sent its reasoning back; the account that signed it would have got it.
      expect(refusing.map(carriesReasoning)).toEqual([true])
      expect(tries.map(carriesReasoning)).toEqual(strips ? [false] : [true, false])
      const moved = tries.at(-1)!
      expect(moved.body.includes('The first answer.')).toBe(true)
      if (strips) {
        // Nothing but the block is gone.
        const [whole, cut] = [refusing[0]!.body.toString(), moved.body.toString()]
        const at = whole.indexOf('{"type":"thinking"')
        const end = whole.indexOf('{', whole.indexOf(signature))
        expect(cut).toBe(whole.slice(0, at) + whole.slice(end))
      }
      const rows = await relay.rows()
      expect(rows.filter((row) => row['http_status'] === 400)).toHaveLength(strips ? 0 : 1)
      expect(rows.at(-1)).toMatchObject({ outcome: 'completed', http_status: 200 })
    }),
)

test('Claude Code waits out a pool whose accounts are all limited for a moment, and goes on when one returns', () =>
  withDesk({ upstreams: 2 }, async ({ claude, upstreams, relay }) => {
    for (const [index, upstream] of upstreams.entries()) {
      let refused = 0
      // The first one stays out for an hour, the second for two seconds.
      upstream.scriptWhen(
        (request) => isMain(request, prompt) && (index === 0 || refused++ === 0),
        refusal(429, 'rate_limit_error', 'limited', { 'retry-after': index === 0 ? '3600' : '2' }),
      )
    }
    const ran = await claude(prompt)
    expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
    const rows = await relay.rows()
    const out = rows.filter((row) => row['http_status'] === 529)
    expect(out.length).toBeGreaterThan(0)
    expect(rows.at(-1)).toMatchObject({ outcome: 'completed', http_status: 200 })
    // While they were out nobody called them: once the first, twice the second.
    expect(upstreams.map(({ requests }) => requests.filter((request) => isMain(request, prompt)).length)).toEqual([
      1, 2,
    ])
  }))
