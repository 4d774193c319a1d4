import { type GraphQLNamedType, type GraphQLSchema, isEnumType, isSpecifiedScalarType } from 'graphql'

interface Said {
  name: string
  description?: string | null
}

/** The specification of connections says what these are (relay.dev/graphql/connections.htm). */
const isPlumbing = ({ name }: Said): boolean => /Connection(Edge)?$|^PageInfo$|^Node$/.test(name)
/** Their place says all there is to say. */
const plain = new Set(['id', 'input', 'first', 'after', 'last', 'before'])

/** Types, fields, arguments and values of a schema that have no description. */
export function mutePlaces(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type) && !isPlumbing(type))
    .flatMap((type) => placesOf(type).filter(([, { description }]) => !description))
    .map(([place]) => place)
}

function placesOf(type: GraphQLNamedType): [place: string, said: Said][] {
  const values = isEnumType(type) ? type.getValues() : []
  const fields = 'getFields' in type ? Object.values(type.getFields()) : []
  return [
    [type.name, type],
    ...values.map((value): [string, Said] => [`${type.name}.${value.name}`, value]),
    ...fields.flatMap((field): [string, Said][] => [
      ...(plain.has(field.name) ? [] : [[`${type.name}.${field.name}`, field] as [string, Said]]),
      ...(('args' in field ? field.args : []) as readonly Said[])
        .filter(({ name }) => !plain.has(name))
        .map((arg): [string, Said] => [`${type.name}.${field.name}(${arg.name}:)`, arg]),
    ]),
  ]
}
