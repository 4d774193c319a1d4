// Writes schema.graphql: `npm run schema` after a change; tests/graphql/schema.test.ts compares.
import { writeFile } from 'node:fs/promises'
import { printedSchema } from '../server/graphql/print.ts'

await writeFile(new URL('../schema.graphql', import.meta.url), printedSchema())
