import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The master secret: given by the environment, or made on the first start and kept beside the data with mode 0600. All
 * keys (sealing, digests, sessions) are derived from it.
 */
export function loadMasterSecret(dataDir: string, given: string | null): Buffer {
  if (given !== null) return Buffer.from(given)
  const path = join(dataDir, 'secrets.json')
  if (!existsSync(path)) {
    writeWhole(path, `${JSON.stringify({ masterSecret: randomBytes(32).toString('base64url') }, null, 2)}\n`)
  }
  let masterSecret: unknown
  try {
    masterSecret = (JSON.parse(readFileSync(path, 'utf8')) as { masterSecret?: unknown }).masterSecret
  } catch {
    // The parser's message would quote the file.
  }
  if (typeof masterSecret !== 'string' || masterSecret.length < 32) {
    throw new Error(
      `${path} does not hold a master secret of at least 32 characters. Restore it from a backup, or set MASTER_SECRET.`,
    )
  }
  return Buffer.from(masterSecret)
}

/** All of it or nothing, also when the power goes: half a secret would lock everything sealed with it. */
function writeWhole(path: string, text: string): void {
  const fresh = openSync(`${path}.new`, 'w', 0o600)
  writeSync(fresh, text)
  fsyncSync(fresh)
  closeSync(fresh)
  renameSync(`${path}.new`, path)
}
