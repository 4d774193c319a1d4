import { statSync } from 'node:fs'

/** Rights of everybody on this machine: to read a file, to list a folder or go through it. */
const readable = 0o004
const enterable = 0o005

/** One sentence for each of these that every user of this machine can read. */
export function warnOfExposed(paths: { provisionFile: string | null; dataDir: string }): string[] {
  const { provisionFile, dataDir } = paths
  const warnings: string[] = []
  if (provisionFile !== null && hasRights(provisionFile, readable))
    warnings.push(
      `PROVISION_FILE: every user of this machine can read ${provisionFile}, which holds secrets: chmod 600 it`,
    )
  if (hasRights(dataDir, enterable))
    warnings.push(`DATA_DIR: every user of this machine can enter ${dataDir}, which holds secrets: chmod 700 it`)
  return warnings
}

function hasRights(path: string, rights: number): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & rights) !== 0
}
