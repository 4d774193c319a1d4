import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import Database from 'libsql'

export interface DataDir {
  /** Absolute. */
  path: string
  /** Gives the folder free for another process; the folder stays. */
  release(): Promise<void>
}

/** Another process works in this folder; the message names it and the remedy. */
export class DataDirInUse extends Error {
  override name = 'DataDirInUse'
}

/**
 * Makes the data folder (mode 0700) and locks it for this process. The lock is an exclusive SQLite transaction on the empty file
 * `relay.lock`: the kernel gives it back when the process ends, however it ends, on every system that SQLite runs on, also between
 * containers that share the folder, where a pid says nothing. `relay.pid` beside it only tells people who has it: `pid`, and where.
 */
export async function openDataDir(path: string, pid?: number): Promise<DataDir> {
  const folder = resolve(path)
  if (await mkdir(folder, { recursive: true, mode: 0o700 })) await chmod(folder, 0o700)
  const pidFile = join(folder, 'relay.pid')
  const lock = new Database(join(folder, 'relay.lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const { code } = error as { code?: string }
    if (!code?.startsWith('SQLITE_BUSY')) throw error
    throw new DataDirInUse(await describeHolder(folder, pidFile), { cause: error })
  }
  await writeFile(pidFile, `${pid ?? '(unnamed)'} on ${hostname()}\n`, { mode: 0o600 })
  let held = true
  return {
    path: folder,
    async release() {
      if (!held) return
      held = false
      await rm(pidFile, { force: true })
      lock.close()
    },
  }
}

async function describeHolder(folder: string, pidFile: string): Promise<string> {
  const holder = (await readFile(pidFile, 'utf8').catch(() => '')).trim()
  return `the data folder ${folder} is in use by ${holder ? `process ${holder}` : 'another process'}; stop it, or set DATA_DIR to another folder`
}
