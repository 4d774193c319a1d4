import { type GraphQLNamedType, type GraphQLSchema, isEnumType, isSpecifiedScalarType } from 'graphql'

interface Described {
  name: string
  description?: string | null
}

/** Described by the specification of connections (relay.dev/graphql/connections.htm). */
const isPlumbing = ({ name }: Described): boolean => /(Connection|Edge)$|^PageInfo$|^Node$/.test(name)
/** Clear without a description. */
const plain = new Set(['id', 'input', 'first', 'after', 'last', 'before'])

/** Types, fields, arguments and values of a schema that have no description. */
export function undescribed(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type) && !isPlumbing(type))
    .flatMap((type) => pathsOf(type).filter(([, { description }]) => !description))
    .map(([path]) => path)
}

/** Every description of a schema, with where it stands. */
export const descriptionsOf = (schema: GraphQLSchema): [path: string, text: string][] =>
  Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type))
    .flatMap(pathsOf)
    .flatMap(([path, { description }]) => (description ? [[path, description] as [string, string]] : []))

function pathsOf(type: GraphQLNamedType): [path: string, described: Described][] {
  const values = isEnumType(type) ? type.getValues() : []
  const fields = 'getFields' in type ? Object.values(type.getFields()) : []
  return [
    [type.name, type],
    ...values.map((value): [string, Described] => [`${type.name}.${value.name}`, value]),
    ...fields.flatMap((field): [string, Described][] => [
      ...(plain.has(field.name) ? [] : [[`${type.name}.${field.name}`, field] as [string, Described]]),
      ...(('args' in field ? field.args : []) as readonly Described[])
        .filter(({ name }) => !plain.has(name))
        .map((arg): [string, Described] => [`${type.name}.${field.name}(${arg.name}:)`, arg]),
    ]),
  ]
}
