import { describe, expect, test } from 'vitest'
import { chatAnswer, type OpenaiAnswer } from '../support/fake-openai.ts'
import { putFile, withDesk } from './claude-code.ts'
import { type CodexVersion, codexVersions, runCodex } from './codex.ts'
import { type Call, type PlatformName, platforms, serveToolTurns } from './tool-turns.ts'

const note = 'the pelican flies at noon'
const every: PlatformName[] = ['codex', 'openai', 'console']

/** The call that reads the note, by the tools that each version has with its default model. */
const readNote: Record<CodexVersion, Call> = {
  '0.169.0': { namespace: 'functions', name: 'exec', input: 'text(await tools.exec_command({ cmd: "cat note.txt" }))' },
  '0.80.0': { name: 'shell_command', input: { command: 'cat note.txt' } },
  '0.44.0': { name: 'shell', input: { command: ['cat', 'note.txt'] } },
}

describe.each(codexVersions)('Codex %s', (version) => {
  test.each(every)('runs a tool and answers over a %s account, behind one that is limited', (platform) =>
    withDesk({ upstreams: 2, account: { platform } }, async (desk) => {
      const [first, second] = desk.upstreams
      await putFile(desk.folder, 'note.txt', `${note}\n`)
      first!.scriptWhen(() => true, platforms[platform].limited)
      serveToolTurns(second!, platform, readNote[version])
      const ran = await runCodex(desk, version, 'What flies at noon?')
      expect(ran, ran.stderr).toMatchObject({ code: 0 })
      expect(ran.stdout).toContain(platforms[platform].lastWords)
      expect(first!.requests).toHaveLength(1)
      expect(second!.requests).toHaveLength(2)
      const told = String(second!.requests[1]!.body)
      expect(told).toContain(note)
      // Codex names its cache; Anthropic's format has marks for it.
      expect(told.includes('"cache_control"')).toBe(platform === 'console')
      const rows = await desk.relay.rows()
      expect(rows.map(({ outcome }) => outcome)).toEqual(['completed', 'completed'])
      expect(rows.every((row) => String(row['user_agent']).startsWith(`codex_exec/${version} `))).toBe(true)
      expect((await desk.relay.attempts()).map(({ outcome }) => outcome)).toEqual(['limited', 'answer', 'answer'])
    }),
  )
})

/** Without a model that Codex knows, its tools stand in the request itself: a web search among them. */
test.each(['openai', 'console'] as const)(
  'Codex 0.169.0 with a model that it does not know runs a tool of a namespace over a %s account',
  (platform) =>
    withDesk({ account: { platform } }, async (desk) => {
      // There is no such agent: the tool itself says so.
      serveToolTurns(desk.upstream, platform, {
        namespace: 'multi_agent_v1',
        name: 'close_agent',
        input: { target: 'x' },
      })
      const ran = await runCodex(desk, '0.169.0', 'Close the agent.', ['--model', 'glm-5.3'])
      expect(ran, ran.stderr).toMatchObject({ code: 0 })
      const [asked, told] = desk.upstream.requests.map(({ body }) => String(body))
      expect(asked).not.toContain('"web_search"')
      expect(told).toContain('"multi_agent_v1__close_agent"')
      expect(told).toContain('invalid agent id')
    }),
)

test('Codex 0.169.0 asks a subagent over an openai account, and answers with what it found', () =>
  withDesk({ account: { platform: 'openai' } }, async (desk) => {
    const task = 'Read what the note says.'
    const call = (name: string, input: object) => ({
      text: '',
      tools: [{ id: name, name: `collaboration__${name}`, input }],
    })
    desk.upstream.scriptWhen(
      () => true,
      (exchange) => {
        const body = String(exchange.request.body)
        const results = body.match(/"role":"tool"/g)?.length ?? 0
        let say: OpenaiAnswer = { text: 'The subagent read it.' }
        if (body.includes('What flies at noon?')) {
          if (results === 0) say = call('spawn_agent', { task_name: 'look', message: task, fork_turns: 'none' })
          else say = results === 1 ? call('wait_agent', { timeout_ms: 30_000 }) : { text: 'The agent has told me.' }
        }
        return chatAnswer(say)(exchange)
      },
    )
    const ran = await runCodex(desk, '0.169.0', 'What flies at noon?')
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    expect(ran.stdout).toContain('The agent has told me.')
    const bodies = desk.upstream.requests.map(({ body }) => String(body))
    expect(bodies.some((body) => body.includes(task) && !body.includes('What flies at noon?'))).toBe(true)
    expect(bodies.at(-1)).toContain('The subagent read it.')
    expect((await desk.relay.rows()).every(({ outcome }) => outcome === 'completed')).toBe(true)
  }))
