/** Processes on one core. They can be stopped while others are measured, and they end with the bench. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

export interface Pinned {
  pid: number
  /** The port from the program's output; 0 when no announcement was awaited. */
  port: number
  freeze(): void
  thaw(): void
  /** Resident memory in MiB. */
  residentMib(): number
  /** SIGTERM, then SIGKILL after `graceMs`; gives the exit code, or null when a signal ended it. */
  stop(graceMs?: number): Promise<number | null>
}

export interface PinnedOptions {
  core: number
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** Matches a line of stdout; the first group is the port. Absent: the program counts as started at once. */
  announces?: RegExp
  /** Milliseconds to wait for the announcement. */
  startMs?: number
}

/** The first two cores this process may use: [contender, load]. Throws where there is only one. */
export function twoCores(): [number, number] {
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  const cores = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i)
  })
  if (cores.length < 2) throw new Error(`the bench needs two cores, this process may use ${list}`)
  return [cores[0]!, cores[1]!]
}

/** Starts a program on its core. Throws with the end of its output when it ends or does not announce itself in time. */
export async function startPinned(command: string, args: readonly string[], options: PinnedOptions): Promise<Pinned> {
  // Both wrappers exec the program, so the pid is its own.
  const wrapped = ['--pdeathsig', 'KILL', 'taskset', '-c', String(options.core), command, ...args]
  const child = spawn('setpriv', wrapped, { env: options.env, cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  await once(child, 'spawn')
  const pid = child.pid!
  const port = await announced(child, options)
  return {
    pid,
    port,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    residentMib: () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    async stop(graceMs = 15_000) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const ended = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
      return child.exitCode
    },
  }
}

function announced(child: ChildProcess, { announces, startMs = 30_000 }: PinnedOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    const giveUp = (why: string) => {
      child.kill('SIGKILL')
      reject(new Error(`${child.spawnargs.slice(6).join(' ')} ${why}; it said:\n${said}`))
    }
    const timer = setTimeout(() => giveUp(`announced no address in ${startMs} ms`), startMs)
    const settle = (port: number) => {
      clearTimeout(timer)
      resolve(port)
    }
    child.once('exit', (code, signal) => giveUp(`ended with ${signal ?? code}`))
    // The output is read until the end, because a full pipe would block the program.
    const listen = (text: string) => {
      said = (said + text).slice(-4000)
      const port = announces?.exec(said)?.[1]
      if (port) settle(Number(port))
    }
    child.stdout?.setEncoding('utf8').on('data', listen)
    child.stderr?.setEncoding('utf8').on('data', listen)
    if (!announces) settle(0)
  })
}
