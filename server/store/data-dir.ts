import { accessSync, constants } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { diskProblem } from './disk-problem.ts'
import { type FileLock, takeFileLock } from './locks/file-lock.ts'

export interface DataDir {
  /** Absolute. */
  path: string
  /** Unlocks the folder for another process. The folder stays. */
  release(): Promise<void>
}

/** Another process uses this folder. The message names it and says what to do. */
export class DataDirInUse extends Error {
  override name = 'DataDirInUse'
}

/**
 * Makes the data folder (mode 0700) and locks it for this process by the file `relay.lock`. `relay.pid` beside it is for
 * people only: it names the process and the machine that have the lock.
 */
export async function openDataDir(path: string, pid?: number, write: WriteFile = writeFile): Promise<DataDir> {
  const folder = resolve(path)
  if (await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error) => refuseDisk(folder, error)))
    await chmod(folder, 0o700)
  const pidFile = join(folder, 'relay.pid')
  const lock = lockFolder(folder)
  if (!lock) throw new DataDirInUse(await describeHolder(folder, pidFile))
  await checkSpace(folder, write).catch((error) => {
    lock.release()
    throw error
  })
  await writeFile(pidFile, `${pid ?? '(unnamed)'} on ${hostname()}\n`, { mode: 0o600 })
  let held = true
  return {
    path: folder,
    async release() {
      if (!held) return
      held = false
      await rm(pidFile, { force: true })
      lock.release()
    },
  }
}

type WriteFile = (path: string, bytes: Buffer) => Promise<void>

/** A start on a full disk would fail somewhere in the database, with a message that names no disk. */
async function checkSpace(folder: string, write: WriteFile): Promise<void> {
  const file = join(folder, 'space.tmp')
  try {
    await write(file, Buffer.alloc(1024 * 1024))
  } catch (error) {
    refuseDisk(folder, error)
  } finally {
    await rm(file, { force: true })
  }
}

function refuseDisk(folder: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EROFS') throw error
  throw Object.assign(new Error(`nothing can be written to ${folder}: ${diskProblem(error)}`, { cause: error }), {
    code,
  })
}

/** For a file that it may not write, SQLite's own message says no more than "14". */
function lockFolder(folder: string): FileLock | null {
  const path = join(folder, 'relay.lock')
  try {
    return takeFileLock(path)
  } catch (error) {
    try {
      accessSync(folder, constants.W_OK)
    } catch (why) {
      if ((why as NodeJS.ErrnoException).code === 'EROFS') refuseDisk(folder, why)
    }
    const problem = `${path} cannot be opened for writing: folder and file have to belong to the user who starts the relay`
    throw Object.assign(new Error(problem, { cause: error }), { code: 'EACCES' })
  }
}

async function describeHolder(folder: string, pidFile: string): Promise<string> {
  const holder = (await readFile(pidFile, 'utf8').catch(() => '')).trim()
  return `the data folder ${folder} is in use by ${holder ? `process ${holder}` : 'another process'}; stop it, or set DATA_DIR to another folder`
}
