import { readFileSync } from 'node:fs'
import { buildSchema, type DocumentNode, validate } from 'graphql'
import { expect, test } from 'vitest'
import * as accounts from '../../client/graphql/account-operations.ts'
import * as groups from '../../client/graphql/group-operations.ts'
import * as keys from '../../client/graphql/key-operations.ts'
import * as live from '../../client/graphql/live-operations.ts'
import * as rules from '../../client/graphql/rule-operations.ts'
import * as session from '../../client/graphql/session-operations.ts'

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))
const operations = Object.entries({ ...accounts, ...groups, ...keys, ...live, ...rules, ...session } as Record<
  string,
  DocumentNode
>)

test.each(operations)('%s fits the schema that the server prints', (_name, document) => {
  expect(validate(schema, document).map((error) => error.message)).toEqual([])
})
