import {
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql'
import { expect, test } from 'vitest'
import { buildSchema } from '../../server/graphql/schema.ts'
import { startGraphqlStand } from './stand.ts'

test('whatever is for administrators is refused to everybody else, before its arguments mean anything', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('bob', 'user')
  await stand.addUser('ada', 'admin')
  const schema = buildSchema()
  const roots = { query: schema.getQueryType()!, mutation: schema.getMutationType()! }
  const asked = Object.entries(roots).flatMap(([verb, type]) =>
    Object.values(type.getFields())
      .filter((field) => scopeOf(field) === 'admin')
      .map((field) => `${verb} { ${field.name}${someArgs(field)} { __typename } }`),
  )
  expect(asked.length).toBeGreaterThan(12)
  for (const query of asked) {
    for (const [auth, code] of [
      [{ token }, 'FORBIDDEN'],
      [{}, 'UNAUTHENTICATED'],
    ] as const) {
      const { errors } = await stand.ask(query, {}, auth)
      expect([query, errors?.[0]?.extensions?.code]).toEqual([query, code])
    }
  }
})

const scopeOf = (field: GraphQLField<unknown, unknown>): string | undefined =>
  Object.keys((field.extensions['pothosOptions'] as { authScopes?: object } | undefined)?.authScopes ?? {})[0]

/** Values that fit the types of the arguments that a field must have, and no more. */
function someArgs({ args }: GraphQLField<unknown, unknown>): string {
  const needed = args.filter(({ type }) => isNonNullType(type)).map(({ name, type }) => `${name}: ${someValue(type)}`)
  return needed.length === 0 ? '' : `(${needed.join(', ')})`
}

function someValue(type: GraphQLInputType): string {
  if (isNonNullType(type)) return someValue(type.ofType)
  if (isListType(type)) return '[]'
  if (isEnumType(type)) return type.getValues()[0]!.name
  if (!isInputObjectType(type))
    return { Boolean: 'true', Int: '1', DateTime: '"2027-01-31T00:00:00Z"' }[type.name] ?? '"x"'
  const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type))
  return `{ ${fields.map((field) => `${field.name}: ${someValue(field.type)}`).join(', ')} }`
}
