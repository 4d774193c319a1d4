import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** server/main.ts as a person starts it, in a folder of its own. */
export interface Program {
  /** Standard output and standard error so far, in order. */
  output(): string
  /** The first match of `pattern` in the output, as soon as it is there; rejects when the program ends without it. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: 'SIGTERM' | 'SIGINT'): void
  /** The exit code, once the program has ended and all it said was read. */
  ended: Promise<number | null>
}

const main = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
const tsx = createRequire(import.meta.url).resolve('tsx')

/** The same as `npm start` starts it; `npm run build` has to have been run. */
export const builtMain = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))

/** `cwd` is where `.env` and `./data` would be; nothing of the test's own environment but PATH reaches the program. */
export function startProgram(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  start: readonly string[] = ['--import', tsx, main],
): Program {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [...start, ...args], {
    cwd,
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const hear = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const listener of hear) listener()
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
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
