import { type GraphQLObjectType, type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql'

/**
 * Fields without a scope: neither of their own nor of their type or interface. There must be none.
 */
export function unscopedFields(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'))
    .flatMap((type) => {
      const object = type as GraphQLObjectType
      return Object.values(object.getFields())
        .filter((field) => !hasScope(field.extensions) && !isCoveredByType(schema, object))
        .map((field) => `${object.name}.${field.name}`)
    })

  function isCoveredByType(all: GraphQLSchema, type: GraphQLObjectType): boolean {
    const isRoot = [all.getQueryType(), all.getMutationType(), all.getSubscriptionType()].includes(type)
    // Not for root types: their scope would open every new root field.
    return !isRoot && hasScope(type.extensions)
  }
}

function hasScope(extensions: Readonly<Record<string, unknown>>): boolean {
  const options = extensions['pothosOptions'] as { authScopes?: unknown } | undefined
  return options?.authScopes !== undefined && options.authScopes !== null
}
