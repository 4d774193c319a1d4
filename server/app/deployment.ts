import { randomUUID } from 'node:crypto'
import type { Database } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'

/** The deployment's id, made once; refuses secrets that are not the ones this database was started with. */
export async function checkDeployment(database: Database, seal: Seal): Promise<string> {
  return database.locked(['deployment'], async (tx) => {
    const rows = await tx.setting.findMany({ where: { name: { in: ['deployment_id', 'secret_fingerprint'] } } })
    const stored = new Map(rows.map((row) => [row.name, row.value]))
    const fingerprint = stored.get('secret_fingerprint')
    if (fingerprint !== undefined && fingerprint !== seal.fingerprint) {
      throw new Error(
        `The master secret is not the one this database was set up with (fingerprint ${seal.fingerprint}, the database has ${fingerprint}). ` +
          'Nothing sealed in it could be opened. Restore DATA_DIR/secrets.json, or set MASTER_SECRET to the value the other processes use.',
      )
    }
    if (fingerprint === undefined)
      await tx.setting.create({ data: { name: 'secret_fingerprint', value: seal.fingerprint } })
    const known = stored.get('deployment_id')
    if (known !== undefined) return known
    const id = randomUUID()
    await tx.setting.create({ data: { name: 'deployment_id', value: id } })
    return id
  })
}
