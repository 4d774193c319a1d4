import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testKey } from '../support/relay-app.ts'
import { type Desk, packages } from './claude-code.ts'
import { type Ran, runClient } from './run.ts'

/** The newest and two older ones, as people run them. */
export const codexVersions = ['0.169.0', '0.80.0', '0.44.0'] as const
export type CodexVersion = (typeof codexVersions)[number]

/** The lines that the documents tell people to write. */
const documented = readFileSync(new URL('../../docs/platforms.md', import.meta.url), 'utf8')
const config = /```toml\n(.*?)```/s.exec(documented)![1]!

/** Runs `codex exec prompt` in a HOME of its own, set up as docs/platforms.md says. It may run any command in its folder. */
export async function runCodex(
  { relay, folder }: Desk,
  version: CodexVersion,
  prompt: string,
  args: string[] = [],
): Promise<Ran> {
  const home = await mkdtemp(join(tmpdir(), 'relay-home-'))
  await mkdir(join(home, '.codex'))
  await writeFile(join(home, '.codex/config.toml'), config.replace('https://YOUR-RELAY', relay.app.url))
  const entry = join(packages, `codex-${version}/bin/codex.js`)
  return runClient({
    args: [entry, 'exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', ...args, prompt],
    folder,
    home,
    homeGoes: true,
    env: { RELAY_KEY: testKey },
  })
}
