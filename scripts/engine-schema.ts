export type Engine = 'sqlite' | 'mysql'
export const engines: readonly Engine[] = ['sqlite', 'mysql']

/** Commands of generators run in the root of the project; their outputs are relative to prisma/<engine>/. */
const header = (
  engine: Engine,
): string => `// Written by \`npm run generate\` from prisma/schema.prisma. Change that file, not this one.

datasource db {
  provider = "${engine}"
}

generator client {
  provider            = "prisma-client"
  output              = "../../server/generated/${engine}"
  runtime             = "nodejs"
  moduleFormat        = "esm"
  importFileExtension = "ts"
  compilerBuild       = "small"
}

/// The data model as JSON: scripts/mysql-ddl.ts writes MySQL's tables from it.
generator dmmf {
  provider = "node scripts/prisma-dmmf.mjs"
  output   = "../../server/generated/dmmf.${engine}.json"
}

${engine === 'sqlite' ? pothos : ''}`

/** Both engines have the same models, so one of them gives the GraphQL schema its types. */
const pothos = `generator pothos {
  provider     = "node node_modules/@pothos/plugin-prisma/bin/generator.js"
  clientOutput = "./sqlite/client.ts"
  output       = "../../server/generated/pothos-types.ts"
}

`

/** The schema of one engine. SQLite has no native types; on MySQL a trailing `/// @mysql X` becomes `@db.X`. */
export function engineSchema(engine: Engine, source: string): string {
  return header(engine) + (engine === 'mysql' ? source.replace(/\/\/\/ @mysql (\S+)$/gm, '@db.$1') : source)
}
