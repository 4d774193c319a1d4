// Writes prisma/<engine>/schema.prisma from prisma/schema.prisma and generates both clients into server/generated, offline.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Engine, engineSchema, engines } from './engine-schema.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = readFileSync(join(root, 'prisma', 'schema.prisma'), 'utf8')

function generate(engine: Engine): void {
  const schema = join(root, 'prisma', engine, 'schema.prisma')
  writeFileSync(schema, engineSchema(engine, source))
  const cli = join(root, 'node_modules', 'prisma-cli', 'build', 'index.js')
  const run = spawnSync(process.execPath, [cli, 'generate', '--no-hints', '--schema', schema], {
    cwd: root,
    encoding: 'utf8',
    // The CLI wants a schema engine although `generate` never starts it. Any existing file will do; nothing is downloaded.
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  })
  if (run.status !== 0) throw new Error(`prisma generate failed for ${engine}:\n${run.stdout}${run.stderr}`)
}

mkdirSync(join(root, 'server', 'generated'), { recursive: true })
for (const engine of engines) generate(engine)
process.stdout.write(`Generated the ${engines.join(' and ')} clients in server/generated\n`)
