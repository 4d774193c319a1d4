import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The relay as a process of its own: what can be killed. */
export interface RelayProcess {
  /** http://127.0.0.1:PORT/claude-code */
  base: string
  /** Everything it wrote so far. */
  output(): string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Starts server/main.ts (from source: no build to be stale) and resolves when it listens; rejects with its output otherwise. */
export async function startRelayProcess(env: Record<string, string>): Promise<RelayProcess> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
    cwd: root,
    env: { PATH, HOME, PORT: '0', UPSTREAM_ALLOW: '127.0.0.0/8', TIME_ZONE: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // A test that fails in between leaves no process behind.
  const endWithTests = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithTests)
  const exited = once(child, 'exit').then(([code]) => {
    process.off('exit', endWithTests)
    return code as number | null
  })
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const found = /listens on (http:\S+)/.exec(output)?.[1]
        if (found !== undefined) resolve(found)
      })
    }
    child.once('error', reject)
    void exited.then(() => reject(new Error(`the relay ended before it listened:\n${output}`)))
  })
  return {
    base: `${url}/claude-code`,
    output: () => output,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    stop() {
      child.kill('SIGTERM')
      return exited
    },
  }
}
