import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database } from './database.ts'
import type { StoreLog } from './store-log.ts'

/**
 * Opens and migrates the database at `url` (`file:…`, or `mysql://user:password@host:port/name`), and makes it when it is
 * absent. Throws MigrationRefused when this program cannot use the database.
 */
export async function openDatabase({ url, log }: { url: string; log: StoreLog }): Promise<Database> {
  // Loads only the engine in use, because each brings a query compiler of some megabytes.
  if (url.startsWith('file:')) {
    const { openSqlite } = await import('./sqlite/database.ts')
    return openSqlite({ path: sqlitePath(url), log })
  }
  if (/^(mysql|mariadb):\/\//.test(url)) {
    const { openMysql } = await import('./mysql/database.ts')
    return openMysql({ url, log })
  }
  // The URL may hold a password: only its scheme is shown.
  throw new Error(`a database URL starts with file: or mysql://, not with ${url.split(':')[0]}:`)
}

function sqlitePath(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length))
}
