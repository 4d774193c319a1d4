import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { DataDirInUse, openDataDir } from '../../server/store/data-dir.ts'

const newFolder = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'relay-data-')), 'data')

/** Another process that opens the folder and keeps it. */
async function startHolder(folder: string): Promise<ChildProcess> {
  const entry = fileURLToPath(new URL('../../server/store/data-dir.ts', import.meta.url))
  const script = `import(${JSON.stringify(entry)}).then(async ({ openDataDir }) => {
    await openDataDir(${JSON.stringify(folder)}, process.pid)
    console.log('held')
    setInterval(() => undefined, 1000)
  })`
  const tsx = createRequire(import.meta.url).resolve('tsx')
  const child = spawn(process.execPath, ['--import', tsx, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

test('the data folder is made for its owner only', async () => {
  const folder = await newFolder()
  const dataDir = await openDataDir(folder)
  expect(dataDir.path).toBe(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  await dataDir.release()
})

test('a second process on the same folder is refused by a message that names the first', async () => {
  const folder = await newFolder()
  const holder = await startHolder(folder)
  try {
    const refused = await openDataDir(folder).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(DataDirInUse)
    expect(String(refused)).toContain(`process ${holder.pid} `)
    expect(String(refused)).toContain(folder)
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  }
  // After kill -9 the folder is free at once.
  await (await openDataDir(folder)).release()
})

test('the same process cannot take the folder twice, and can take it again after giving it back', async () => {
  const folder = await newFolder()
  const first = await openDataDir(folder, process.pid)
  await expect(openDataDir(folder)).rejects.toThrow(`process ${process.pid} `)
  await first.release()
  await first.release()
  const second = await openDataDir(folder)
  await expect(openDataDir(folder)).rejects.toBeInstanceOf(DataDirInUse)
  await second.release()
})

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the disk is read-only'],
])(
  'fault 56: a start on a disk that says %s names the folder and the reason, and leaves no lock',
  async (code, reason) => {
    const folder = await newFolder()
    const refuse = () => Promise.reject(Object.assign(new Error('write'), { code }))
    await expect(openDataDir(folder, 1, refuse)).rejects.toThrow(`nothing can be written to ${folder}: ${reason}`)
    await (await openDataDir(folder)).release()
  },
)
