import { buildASTSchema, type GraphQLEnumType, isObjectType, parse } from 'graphql'
import { expect, test } from 'vitest'
import { failureCodes, fieldProblemCodes } from '../../server/failure-codes.ts'
import { builder } from '../../server/graphql/builder.ts'
import { printedSchema } from '../../server/graphql/print.ts'
import { buildSchema } from '../../server/graphql/schema.ts'
import { unscopedFields } from '../../server/graphql/scopes.ts'
import { runCodes } from '../../server/jobs/run-words.ts'
import { descriptionsOf, undescribed } from './undescribed.ts'

test('schema.graphql is printed from the schema (after a change: npm run schema)', async () => {
  await expect(printedSchema()).toMatchFileSnapshot('../../schema.graphql')
})

test('every field has a scope, its own or that of its type', () => {
  const schema = buildSchema()
  expect(Object.values(schema.getTypeMap()).filter(isObjectType).length).toBeGreaterThan(50)
  expect(unscopedFields(schema)).toEqual([])
})

test('every type, field, argument and value says what it means to who reads only the schema', () => {
  expect(undescribed(buildSchema())).toEqual([])
})

test('every description begins like a sentence and ends like one', () => {
  const broken = descriptionsOf(buildSchema()).filter(([, text]) => !/^[A-Z`].*[.)]$/s.test(text))
  expect(broken).toEqual([])
})

test('what says nothing is found, wherever it stands, so that the walk says something', () => {
  const schema = buildASTSchema(
    parse(`
      type Query { open(word: String, id: ID, input: Words): Mood, "Said." id: ID }
      enum Mood { GOOD }
      input Words { word: String }
      union Any = Query
      scalar Moment
    `),
  )
  expect(undescribed(schema).sort()).toEqual([
    'Any',
    'Moment',
    'Mood',
    'Mood.GOOD',
    'Query',
    'Query.open',
    'Query.open(word:)',
    'Words',
    'Words.word',
  ])
})

test('a field without a scope is found, so that the walk says something', () => {
  const schema = buildASTSchema(parse('type Query { bare: Bare } type Bare { open: String }'))
  expect(unscopedFields(schema).sort()).toEqual(['Bare.open', 'Query.bare'])
})

test('a mutation answers with a union whose first part is its success', () => {
  const schema = buildSchemaAgain()
  for (const [name, field] of Object.entries(schema.getMutationType()!.getFields())) {
    const title = name[0]!.toUpperCase() + name.slice(1)
    expect(String(field.type)).toBe(`${title}Result!`)
  }
})

test('what runs of jobs come to, and why something is refused, are closed sets of codes', () => {
  const schema = buildSchemaAgain()
  const valuesOf = (name: string) =>
    (schema.getType(name) as GraphQLEnumType).getValues().map(({ value }: { value: string }) => value)
  expect(valuesOf('RunCode').sort()).toEqual([...runCodes].sort())
  expect(valuesOf('FailureCode').sort()).toEqual([...failureCodes].sort())
  expect(valuesOf('FieldProblemCode').sort()).toEqual([...fieldProblemCodes].sort())
})

function buildSchemaAgain() {
  return builder.toSchema()
}
