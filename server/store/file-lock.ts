import Database from 'libsql'

/** A file that one process has. */
export interface FileLock {
  release(): void
}

/**
 * Takes `path` for this process alone; null when another one has it, or this one already. An exclusive SQLite transaction on
 * an empty file: the kernel gives it back when the process ends, however it ends, on every system that SQLite runs on, also
 * between containers that share the folder, where a pid says nothing.
 */
export function takeFileLock(path: string): FileLock | null {
  const lock = new Database(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const { code } = error as { code?: string }
    if (!code?.startsWith('SQLITE_BUSY')) throw error
    return null
  }
  return { release: () => lock.close() }
}
