import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { warnOfExposed } from '../../server/config/exposed-files.ts'

test('a provisioning file or data folder that every user of the machine can read is warned of', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'relay-exposed-'))
  const provisionFile = join(dataDir, 'provision.json')
  writeFileSync(provisionFile, '{}')
  const warnings = (folderMode: number, fileMode: number) => {
    chmodSync(dataDir, folderMode)
    chmodSync(provisionFile, fileMode)
    return warnOfExposed({ provisionFile, dataDir })
  }
  expect(warnings(0o700, 0o600)).toEqual([])
  expect(warnings(0o750, 0o640)).toEqual([])
  expect(warnings(0o755, 0o644)).toEqual([
    `PROVISION_FILE: every user of this machine can read ${provisionFile}, which holds secrets: chmod 600 it`,
    `DATA_DIR: every user of this machine can enter ${dataDir}, which holds secrets: chmod 700 it`,
  ])
  expect(warnOfExposed({ provisionFile: null, dataDir: join(dataDir, 'not made yet') })).toEqual([])
})
