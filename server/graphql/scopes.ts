import { type GraphQLObjectType, type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql'

/**
 * Default deny: the fields of a schema that say nowhere who may read them. A field is covered by a scope of its own, of
 * its type or, for fields of an interface, of that.
 */
export function unscopedFields(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'))
    .flatMap((type) => {
      const object = type as GraphQLObjectType
      return Object.values(object.getFields())
        .filter((field) => !hasScope(field.extensions) && !isRootOrUnscoped(schema, object))
        .map((field) => `${object.name}.${field.name}`)
    })

  function isRootOrUnscoped(all: GraphQLSchema, type: GraphQLObjectType): boolean {
    const isRoot = [all.getQueryType(), all.getMutationType(), all.getSubscriptionType()].includes(type)
    // A scope on a root type would open every new root field: those name their own.
    return !isRoot && hasScope(type.extensions)
  }
}

function hasScope(extensions: Readonly<Record<string, unknown>>): boolean {
  const options = extensions['pothosOptions'] as { authScopes?: unknown } | undefined
  return options?.authScopes !== undefined && options.authScopes !== null
}
