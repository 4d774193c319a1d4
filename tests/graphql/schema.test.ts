import { type GraphQLEnumType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { builder } from '../../server/graphql/builder.ts'
import { printedSchema } from '../../server/graphql/print.ts'
import { buildSchema } from '../../server/graphql/schema.ts'
import { unscopedFields } from '../../server/graphql/scopes.ts'

test('schema.graphql is printed from the schema (after a change: npm run schema)', async () => {
  await expect(printedSchema()).toMatchFileSnapshot('../../schema.graphql')
})

test('every field has a scope, its own or that of its type', () => {
  const schema = buildSchema()
  expect(Object.values(schema.getTypeMap()).filter(isObjectType).length).toBeGreaterThan(50)
  expect(unscopedFields(schema)).toEqual([])
})

test('every field of the roots, and every value of what is chosen from a list, says what it means', () => {
  const schema = buildSchema()
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const fields = roots.flatMap((type) =>
    Object.values(type!.getFields()).map((field) => [`${type!.name}.${field.name}`, field] as const),
  )
  const values = ['Outcome', 'UsageSource', 'Platform', 'RouteReason', 'ProxyChoice'].flatMap((name) =>
    (schema.getType(name) as GraphQLEnumType).getValues().map((value) => [`${name}.${value.name}`, value] as const),
  )
  const mute = [...fields, ...values].filter(([, { description }]) => !description)
  expect(mute.map(([name]) => name)).toEqual([])
})

test('a field without a scope is found, so that the walk says something', () => {
  builder.objectRef<object>('Bare').implement({ fields: (t) => ({ open: t.string({ resolve: () => '' }) }) })
  builder.queryField('bare', (t) => t.string({ resolve: () => '' }))
  expect(unscopedFields(builder.toSchema()).sort()).toEqual(['Bare.open', 'Query.bare'])
})

test('a mutation answers with a union whose first part is its success', () => {
  const schema = buildSchemaAgain()
  for (const [name, field] of Object.entries(schema.getMutationType()!.getFields())) {
    const title = name[0]!.toUpperCase() + name.slice(1)
    expect(String(field.type)).toBe(`${title}Result!`)
  }
})

function buildSchemaAgain() {
  return builder.toSchema()
}
