import { describe, expect, test } from 'vitest'
import { errorAfterEvents, resetAfterEvents, toolUse } from '../support/fake-scripts.ts'
import type { Recorded } from '../support/fake-upstream.ts'
import { isMain, messageOf, putFile, versions, withDesk } from './claude-code.ts'

const prompt = 'Please say the three words.'
const answer = 'word 0 你好 🙂 word 1 你好 🙂 word 2 你好 🙂'

/** Nano-USD a token: input, output, 5-minute write, 1-hour write, read (protocol.md §5.2, §5.3). */
const rates: Record<string, [number, number, number, number, number]> = {
  'claude-opus-5-5': [4_000, 20_000, 5_000, 8_000, 200],
  'claude-sonnet-4-6': [3_000, 15_000, 3_750, 6_000, 300],
  'claude-sonnet-4-5-20250929': [3_000, 15_000, 3_750, 6_000, 300],
  'claude-haiku-4-5-20251001': [1_000, 5_000, 1_250, 2_000, 100],
  'claude-opus-4-1-20250805': [15_000, 75_000, 18_750, 30_000, 1_500],
}

/** What the upstream counted for a request, and what that costs, in the words of a row. */
function rowOf({ usage }: Recorded) {
  const { model, tokens } = usage!
  const counts = [tokens.input, tokens.output, tokens.cacheWrite5m, tokens.cacheWrite1h, tokens.cacheRead]
  const cost = counts.reduce((sum, count, index) => sum + count * rates[model]![index]!, 0)
  return {
    model_requested: model,
    outcome: 'completed',
    usage_source: 'final',
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    cache_write_5m_tokens: tokens.cacheWrite5m,
    cache_write_1h_tokens: tokens.cacheWrite1h,
    cache_read_tokens: tokens.cacheRead,
    cost_nano: cost,
  }
}

describe.each(versions)('Claude Code %s', (version) => {
  test('gets the answer of its prompt, and every request has a row with exact tokens and cost', () =>
    withDesk({}, async ({ claude, upstream, relay }) => {
      const ran = await claude(prompt, { version })
      expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
      const rows = await relay.rows()
      const sent = upstream.requests.filter(({ path }) => path === '/v1/messages?beta=true')
      expect(sent.some((request) => isMain(request, prompt))).toBe(true)
      expect(rows).toHaveLength(sent.length)
      // 2.0.76 warms up in parallel and may leave those early; what was answered whole is billed to the token.
      const whole = sent.filter(({ usage }) => usage !== null)
      for (const request of whole) {
        expect(rows).toContainEqual(expect.objectContaining({ ...rowOf(request), http_status: 200 }))
      }
      expect(rows.every((row) => String(row['user_agent']).startsWith(`claude-cli/${version} `))).toBe(true)
    }))

  test('runs a tool and sends its result back for the final answer', () =>
    withDesk({}, async ({ claude, upstream, folder }) => {
      const note = await putFile(folder, 'note.txt', 'the pelican flies at noon\n')
      const take = upstream.scriptWhen(
        (request) => isMain(request, prompt) && !request.body.includes('"tool_result"'),
        toolUse('Read', { file_path: note }),
      )
      const ran = await claude(prompt, { version })
      take()
      expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
      const last = upstream.requests.findLast((request) => isMain(request, prompt))!
      const results = messageOf(last)
        .messages.flatMap(({ content }) => content)
        .filter((block) => (block as { type?: string }).type === 'tool_result')
      expect(results).toEqual([expect.objectContaining({ tool_use_id: 'toolu_golden_0' })])
      expect(JSON.stringify(results)).toContain('the pelican flies at noon')
    }))

  test.each([
    ['an error event', errorAfterEvents(4)],
    ['a reset', resetAfterEvents(4)],
  ])('recovers by itself from %s in the middle of a stream', (_, script) =>
    withDesk({}, async ({ claude, upstream, relay }) => {
      let broken = 0
      upstream.scriptWhen((request) => isMain(request, prompt) && broken++ === 0, script)
      const ran = await claude(prompt, { version })
      expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
      const [first, second] = upstream.requests.filter((request) => isMain(request, prompt))
      expect(messageOf(first!).stream).toBe(true)
      expect(messageOf(second!).stream ?? false).toBe(false)
      const rows = await relay.rows()
      expect(rows.filter((row) => row['outcome'] === 'failed' && row['http_status'] === 200)).toHaveLength(1)
      expect(rows).toContainEqual(expect.objectContaining(rowOf(second!)))
    }),
  )

  test('ends at once with our words when its key is unknown', () =>
    withDesk({}, async ({ claude, upstream }) => {
      const ran = await claude(prompt, { version, key: 'sk-nobody-knows-this-one' })
      expect(ran.code).not.toBeNull()
      expect(ran.stdout).toContain('This API key is not known to this relay.')
      expect(ran.durationMs).toBeLessThan(20_000)
      expect(upstream.requests).toEqual([])
    }))

  test('ends at once with our words when the daily limit of its key is reached', () =>
    withDesk(
      { keys: [{ name: 'small', secret: 'sk-small-0123456789abcdef', group: 'g', dailyLimitUsd: '0.0000001' }] },
      async ({ claude }) => {
        const run = { version, key: 'sk-small-0123456789abcdef' }
        await claude(prompt, run)
        const ran = await claude(prompt, run)
        expect(ran.stdout).toContain('The daily limit of $0.0000001 of this API key is reached. It resets at')
        expect(ran.durationMs).toBeLessThan(20_000)
      },
    ))
})
