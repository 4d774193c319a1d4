import Database from 'libsql'

/** A file that one process has, or that several share. */
export interface FileLock {
  release(): void
}

/**
 * Takes `path` for this process alone, or as one of those that share it; null when others have it otherwise. A SQLite transaction
 * on an empty file, exclusive or reading: the kernel gives it back when the process ends, however it ends, on every system that SQLite runs on, also
 * between containers that share the folder, where a pid says nothing.
 */
export function takeFileLock(path: string, isShared = false): FileLock | null {
  const lock = new Database(path, { timeout: 0 })
  try {
    lock.exec(isShared ? 'BEGIN; SELECT 1 FROM sqlite_master' : 'BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const { code } = error as { code?: string }
    if (!code?.startsWith('SQLITE_BUSY')) throw error
    return null
  }
  return { release: () => lock.close() }
}
