// Writes schema.graphql, and the smaller schema of key holders beside its code: `npm run schema` after a change;
// tests/graphql/schema.test.ts compares.
import { writeFile } from 'node:fs/promises'
import { printedKeyHolderSchema } from '../server/graphql/key-holder/schema.ts'
import { printedSchema } from '../server/graphql/print.ts'

await writeFile(new URL('../schema.graphql', import.meta.url), printedSchema())
await writeFile(new URL('../server/graphql/key-holder/key.graphql', import.meta.url), printedKeyHolderSchema())
