import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Small texts that must survive a crash before they are in the database: one file for each name, in one folder. */
export interface DurableFiles {
  /** Resolves when the file and its directory entry are on the disk. */
  put(name: string, text: string): Promise<void>
  remove(name: string): Promise<void>
  all(): Promise<{ name: string; text: string }[]>
}

/** `folder` is made when the first text is written. Names must be valid file names. */
export function createDurableFiles(folder: string): DurableFiles {
  return {
    async put(name, text) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const file = join(folder, name)
      const written = await open(`${file}.new`, 'w', 0o600)
      try {
        await written.writeFile(text)
        await written.sync()
      } finally {
        await written.close()
      }
      await rename(`${file}.new`, file)
      // Without this a power cut could lose the directory entry.
      const directory = await open(folder, 'r')
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    },
    remove: (name) => rm(join(folder, name), { force: true }),
    async all() {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      const kept = names.filter((name) => !name.endsWith('.new'))
      return Promise.all(kept.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })))
    },
  }
}
