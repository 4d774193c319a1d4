import Database from 'libsql'

/** A lock on a file that one process holds alone, or that several share. */
export interface FileLock {
  release(): void
}

/**
 * Locks `path` for this process alone, or shared with others; null when the locks of others do not allow it. The lock is a
 * SQLite transaction on an empty file, exclusive or reading. The kernel frees it however the process ends, on every system
 * that SQLite supports, and it works between containers that share the folder, where a pid means nothing.
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
