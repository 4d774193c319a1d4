import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'

/** What a client did. */
export interface Ran {
  /** Exit code; null when it had to be killed at the deadline. */
  code: number | null
  stdout: string
  stderr: string
  durationMs: number
}

export interface RunParts {
  /** What Node starts, and its arguments. */
  args: string[]
  folder: string
  home: string
  /** True: the home goes when the client has ended. */
  homeGoes: boolean
  env: Record<string, string>
  /** The client is killed when this resolves. */
  until?: Promise<unknown>
}

const deadlineMs = 40_000

/** Runs a client in an environment that is made from nothing: this machine's own settings never reach it. */
export async function runClient({ args, folder, home, homeGoes, env, until }: RunParts): Promise<Ran> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: some versions are a wrapper round a binary, and both have to go at the deadline.
    detached: true,
  })
  const startedAt = performance.now()
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const endGroup = () => {
    // Once it has ended its number may be another's.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  const deadline = setTimeout(endGroup, deadlineMs)
  void until?.then(endGroup)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, stdout, stderr, durationMs: performance.now() - startedAt }
  } finally {
    clearTimeout(deadline)
    if (homeGoes) await rm(home, { recursive: true, force: true, maxRetries: 5 })
  }
}
