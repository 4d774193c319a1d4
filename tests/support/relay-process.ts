import { fileURLToPath } from 'node:url'
import { startProgram } from './program.ts'

/** The built relay in its own process, which can be killed. */
export interface RelayProcess {
  /** http://127.0.0.1:PORT/claude-code */
  base: string
  /** Its output so far. */
  output(): string
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Resolves when the relay listens; rejects with its output when it ends before that. */
export async function startRelayProcess(env: Record<string, string>): Promise<RelayProcess> {
  const { HOME = '' } = process.env
  const program = startProgram(root, { HOME, UPSTREAM_ALLOW: '127.0.0.0/8', ...env })
  const url = (await program.said(/listens on (http:\S+)/))[1]!
  return {
    base: `${url}/claude-code`,
    output: program.output,
    async kill() {
      program.signal('SIGKILL')
      await program.ended
    },
    stop() {
      program.signal('SIGTERM')
      return program.ended
    },
  }
}
