import { describe, expect, test } from 'vitest'
import type { OpenaiAnswer } from '../support/fake-openai.ts'
import { putFile, withDesk } from './claude-code.ts'
import { answerOf, hasResult, platforms, serveToolTurns } from './tool-turns.ts'

const prompt = 'What flies at noon?'
const task = 'Read what the note says.'

describe.each(['openai', 'codex'] as const)('Claude Code over a %s account behind one that is limited', (platform) => {
  const account = { platform, modelMapping: { 'claude-*': 'served' } }

  test('runs a tool and answers', () =>
    withDesk({ upstreams: 2, account }, async ({ claude, upstreams, relay, folder }) => {
      const [first, second] = upstreams
      const note = await putFile(folder, 'note.txt', 'the pelican flies at noon\n')
      first!.scriptWhen(() => true, platforms[platform].limited)
      serveToolTurns(second!, platform, { name: 'Read', input: { file_path: note } })
      const ran = await claude(prompt)
      expect(ran).toMatchObject({ code: 0, stdout: `${platforms[platform].lastWords}\n` })
      expect(first!.requests).toHaveLength(1)
      expect(second!.requests).toHaveLength(2)
      expect(String(second!.requests[1]!.body)).toContain('the pelican flies at noon')
      const rows = await relay.rows()
      expect(rows).toHaveLength(2)
      for (const row of rows)
        expect(row).toMatchObject({ outcome: 'completed', platform, model_sent: 'served', usage_source: 'final' })
    }))

  test('asks a subagent, and answers with what it found', () =>
    withDesk({ upstreams: 2, account }, async ({ claude, upstreams, relay }) => {
      const [first, second] = upstreams
      first!.scriptWhen(() => true, platforms[platform].limited)
      const agent = {
        id: 'call_1',
        name: 'Agent',
        input: { description: 'Read a note', prompt: task, subagent_type: 'general-purpose', run_in_background: false },
      }
      second!.scriptWhen(
        () => true,
        (exchange) => {
          const isMain = exchange.request.body.includes(prompt)
          let say: OpenaiAnswer = { text: 'The subagent read it.' }
          if (isMain)
            say = hasResult(exchange.request) ? { text: 'The agent has told me.' } : { text: '', tools: [agent] }
          return answerOf(platform)(say)(exchange)
        },
      )
      const ran = await claude(prompt)
      expect(ran).toMatchObject({ code: 0, stdout: 'The agent has told me.\n' })
      const bodies = second!.requests.map(({ body }) => String(body))
      expect(bodies.filter((body) => !body.includes(prompt) && body.includes(task))).toHaveLength(1)
      expect(bodies.at(-1)).toContain('The subagent read it.')
      expect((await relay.rows()).map(({ outcome }) => outcome)).toEqual(['completed', 'completed', 'completed'])
    }))
})
