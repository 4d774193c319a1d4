import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import type { DiffTarget, SchemaEngine as Engine } from '@prisma/schema-engine-wasm'

/** Where a diff starts from: nothing, a rendered schema, or the tables a SQLite file really has. */
export type Start =
  | { kind: 'empty' }
  | { kind: 'schema'; schema: string }
  | { kind: 'file'; path: string; schema: string }

/**
 * Asks Prisma's schema engine (WASM, SQLite only) for the SQL that leads from `start` to the rendered schema `schema`.
 * Returns the script; `-- This is an empty migration.` when there is nothing to do.
 */
export async function sqliteDiff(start: Start, schema: string): Promise<string> {
  const url = start.kind === 'file' ? `file:${start.path}` : 'file::memory:'
  const engine = await loadEngine(url, schema)
  const files = [{ path: 'schema.prisma', content: schema }]
  const from: DiffTarget =
    start.kind === 'empty'
      ? { tag: 'empty' }
      : start.kind === 'schema'
        ? { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: start.schema }] }
        : { tag: 'schemaDatasource', files, configDir: '.' }
  const result = await engine.diff({
    from,
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    filters: { externalTables: ['_prisma_migrations'], externalEnums: [] },
  })
  return result.stdout ?? ''
}

/** Node has it; the types come with the DOM library only, which a server does not load. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>
  }
}

type Glue = { __wbg_set_wasm(exports: unknown): void; SchemaEngine: typeof Engine }

/** The engine keeps its memory in its module: a second instance would pull it from under the first. */
let instantiated: Promise<Glue> | undefined

async function loadEngine(url: string, schema: string): Promise<Engine> {
  instantiated ??= instantiate()
  const { SchemaEngine } = await instantiated
  const factory = bindMigrationAwareSqlAdapterFactory(new PrismaLibSql({ url }))
  return SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => undefined, factory)
}

/** The package's own entry imports .wasm as a module, which Node 20 does not do: its three lines are repeated here. */
async function instantiate(): Promise<Glue> {
  const require = createRequire(import.meta.url)
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const entry = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const bytes = await readFile(entry.replace(/\.js$/, '.wasm'))
  const { instance } = await webAssembly.instantiate(bytes, { './schema_engine_bg.js': glue })
  const bound = glue as unknown as Glue
  bound.__wbg_set_wasm(instance.exports)
  ;(instance.exports['__wbindgen_start'] as () => void)()
  return bound
}
