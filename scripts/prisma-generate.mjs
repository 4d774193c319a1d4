// Renders prisma/schema.prisma for each engine and generates both clients into server/generated, without any network.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const generated = join(root, 'server', 'generated')
const source = readFileSync(join(root, 'prisma', 'schema.prisma'), 'utf8')
const engines = ['sqlite', 'mysql']

/** A generator's header; `provider` of the second is our own dump of the data model, from which MySQL's DDL is written. */
const header = (engine) => `datasource db {
  provider = "${engine}"
}

generator client {
  provider            = "prisma-client"
  output              = ${JSON.stringify(join(generated, engine))}
  runtime             = "nodejs"
  moduleFormat        = "esm"
  importFileExtension = "ts"
  compilerBuild       = "small"
}

generator dmmf {
  provider = ${JSON.stringify(`"${process.execPath}" "${join(root, 'scripts', 'prisma-dmmf.mjs')}"`)}
  output   = ${JSON.stringify(join(generated, `dmmf.${engine}.json`))}
}

${engine === 'sqlite' ? pothos : ''}`

/** Both engines have the same models: the GraphQL schema is typed by one of them. */
const pothos = `generator pothos {
  provider     = ${JSON.stringify(`"${process.execPath}" "${join(root, 'node_modules', '@pothos', 'plugin-prisma', 'bin', 'generator.js')}"`)}
  clientOutput = "./sqlite/client.ts"
  output       = ${JSON.stringify(join(generated, 'pothos-types.ts'))}
}

`

/** SQLite knows no native types; on MySQL a trailing `/// @mysql X` becomes `@db.X`. */
const render = (engine) =>
  header(engine) + (engine === 'mysql' ? source.replace(/\/\/\/ @mysql (\S+)$/gm, '@db.$1') : source)

function generate(engine) {
  const schema = join(generated, `schema.${engine}.prisma`)
  writeFileSync(schema, render(engine))
  const cli = join(root, 'node_modules', 'prisma-cli', 'build', 'index.js')
  const run = spawnSync(process.execPath, [cli, 'generate', '--no-hints', '--schema', schema], {
    cwd: root,
    encoding: 'utf8',
    // The CLI insists on a schema engine that it never starts here; any existing file satisfies it, and nothing is downloaded.
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  })
  if (run.status !== 0) throw new Error(`prisma generate failed for ${engine}:\n${run.stdout}${run.stderr}`)
}

mkdirSync(generated, { recursive: true })
for (const engine of engines) generate(engine)
process.stdout.write(`Generated the ${engines.join(' and ')} clients in server/generated\n`)
