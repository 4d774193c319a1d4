import { mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { putFile, withDesk } from './claude-code.ts'
import { platforms, serveToolTurns } from './tool-turns.ts'

test('Claude Code lists the model of an OpenAI-format account under a name that it accepts, and works with it', () =>
  withDesk({ account: { platform: 'openai', models: ['glm-5.3'] } }, async ({ claude, upstream, relay, folder }) => {
    const note = await putFile(folder, 'note.txt', 'the pelican flies at noon\n')
    serveToolTurns(upstream, 'openai', { name: 'Read', input: { file_path: note } })
    const home = await mkdtemp(join(folder, 'home-'))
    const env = { CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1' }
    const ran = await claude('What flies at noon?', { home, env, args: ['--model', 'claude-via-glm-5.3'] })
    expect(ran).toMatchObject({ code: 0, stdout: `${platforms.openai.lastWords}\n` })
    // Its /model shows what it keeps here.
    const kept = JSON.parse(await readFile(join(home, '.claude/cache/gateway-models.json'), 'utf8'))
    expect(kept.models).toEqual([{ id: 'claude-via-glm-5.3', display_name: 'glm-5.3' }])
    expect(upstream.requests.map(({ body }) => JSON.parse(String(body)).model)).toEqual(['glm-5.3', 'glm-5.3'])
    for (const row of await relay.rows()) expect(row).toMatchObject({ outcome: 'completed', model_sent: 'glm-5.3' })
  }))
