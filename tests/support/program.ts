import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** The built program in its own process, as a person starts it. tests/support/build-program.ts builds it. */
export interface Program {
  /** Standard output and standard error so far, in order. */
  output(): string
  /** The first match of `pattern` in the output, as soon as there is one; rejects when the program ends without it. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void
  /** The exit code, once the program has ended and its output is read. */
  ended: Promise<number | null>
}

const builtMain = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))

/** `cwd` is the folder of `.env` and `./data`. Of the test's own environment the program gets PATH only. */
export function startProgram(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  main = builtMain,
): Program {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH, PORT: '0', TIME_ZONE: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // So that a test that fails leaves no process behind.
  const endWithTests = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithTests)
  let output = ''
  const hear = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const listener of hear) listener()
    })
  }
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', endWithTests)
    return code as number | null
  })
  return {
    output: () => output,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output)
          if (found === null) return
          hear.delete(look)
          resolve(found)
        }
        hear.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without ${pattern}:\n${output}`)))
      }),
    signal: (name) => void child.kill(name),
    ended,
  }
}
