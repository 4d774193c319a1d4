import { readdirSync, readFileSync } from 'node:fs'
import { buildSchema, type DocumentNode, NoUnusedFragmentsRule, specifiedRules, validate } from 'graphql'
import { expect, test } from 'vitest'

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))
const folder = new URL('../../client/graphql/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('-operations.ts'))
const documents = await Promise.all(files.map((name) => import(new URL(name, folder).href) as Promise<object>))
const operations = documents.flatMap((exports) => Object.entries(exports) as [name: string, document: DocumentNode][])

// A fragment that the cache writes is a document of its own.
const rules = specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule)

test('every noun has its file of operations', () => {
  expect(files.length).toBeGreaterThan(8)
  expect(operations.length).toBeGreaterThan(40)
})

test.each(operations)('%s fits the schema that the server prints', (_name, document) => {
  expect(validate(schema, document, rules).map((error) => error.message)).toEqual([])
})
