import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Small texts that outlive the process before they are anywhere else: one file a name, in the data folder. */
export interface KeptTexts {
  /** On the disk, in the directory too, when it resolves. */
  put(name: string, text: string): Promise<void>
  remove(name: string): Promise<void>
  all(): Promise<{ name: string; text: string }[]>
}

/** `folder` is made when it is first needed. Names are file names. */
export function createKeptTexts(folder: string): KeptTexts {
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
      // The name is data of the directory, and lost with it after a power cut.
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
