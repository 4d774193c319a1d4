import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin, { decodeGlobalID } from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import ValidationPlugin from '@pothos/plugin-validation'
import { GraphQLError, type GraphQLSchema, isObjectType } from 'graphql'
import { z } from 'zod'
import type PrismaTypes from '../generated/pothos-types.ts'
import { getDatamodel } from '../generated/pothos-types.ts'
import { tooComplex, wrongArguments } from './refused-query.ts'
import type { Context } from './server/context.ts'

export const maxPage = 100
export const defaultPage = 20

/** `first` and `last` of every list. */
export const pageSize = {
  description: `How many, 1 to ${maxPage}; ${defaultPage} when absent.`,
  validate: z.int().min(1).max(maxPage).nullish(),
}

interface NodeId {
  typename: string
  id: string
}

/** Ids that no row can have are answered with null before a database sees them. */
function isNodeId({ typename, id }: NodeId, schema: GraphQLSchema): boolean {
  const type = schema.getType(typename)
  const isNode = isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')
  return isNode && (/^\d{1,19}$/.test(id) ? BigInt(id) < 2n ** 63n : /^req_\w{1,64}$/.test(id))
}

/**
 * The schema's builder. Scopes are the rights: `public`, `signedIn` (includes users who must choose another password first),
 * `user`, `admin`. A field or its type must name one; scopes.ts refuses a schema that does not. Depth is limited in
 * query-limits.ts.
 */
export const builder = new SchemaBuilder<{
  Context: Context
  PrismaTypes: PrismaTypes
  AuthScopes: { public: boolean; signedIn: boolean; user: boolean; admin: boolean }
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  DefaultNodeNullability: false
  Scalars: {
    ID: { Input: string; Output: string | number }
    DateTime: { Input: Date; Output: Date }
    NanoUsd: { Input: bigint; Output: bigint }
    Decimal: { Input: unknown; Output: string }
    Count: { Input: number; Output: number | bigint }
    Date: { Input: string; Output: string }
    JSON: { Input: unknown; Output: unknown }
  }
  /** Counted when asked for; of a list inside a list by the query of its parents. */
  Connection: { totalCount?: (() => number | Promise<number>) | number | undefined }
}>({
  // Scopes first: rights are checked before anything else.
  plugins: [ScopeAuthPlugin, ValidationPlugin, PrismaPlugin, RelayPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authScopes: ({ viewer }) => {
      const user = viewer !== null && !viewer.mustChangePassword
      return { public: true, signedIn: viewer !== null, user, admin: user && viewer.role === 'admin' }
    },
    unauthorizedError: (_parent, { viewer }) =>
      viewer === null
        ? new GraphQLError('Sign in first.', { extensions: { code: 'UNAUTHENTICATED' } })
        : viewer.mustChangePassword
          ? new GraphQLError('Choose another password first.', { extensions: { code: 'PASSWORD_CHANGE_NEEDED' } })
          : new GraphQLError('This is for administrators.', { extensions: { code: 'FORBIDDEN' } }),
    treatErrorsAsUnauthorized: false,
  },
  prisma: {
    client: ({ parts }) => parts.database.reader,
    dmmf: getDatamodel(),
    maxConnectionSize: maxPage,
    defaultConnectionSize: defaultPage,
    onUnusedQuery: null,
  },
  validation: { validationError: wrongArguments },
  relay: {
    firstArgOptions: pageSize,
    lastArgOptions: pageSize,
    nodesOnConnection: { description: 'The objects, without their cursors.' },
    decodeGlobalID(text): NodeId {
      try {
        return decodeGlobalID(text)
      } catch {
        return { typename: '', id: '' }
      }
    },
    edgesFieldOptions: { nullable: false },
    nodeFieldOptions: { nullable: false },
    nodeQueryOptions: {
      description: 'Any object by its id; null when there is none, or it is not yours to see.',
      authScopes: { user: true },
      nullable: true,
      resolve: (_root, { id }, _context, info, resolveNode) => (isNodeId(id, info.schema) ? resolveNode(id) : null),
    },
    nodesQueryOptions: {
      description: 'Objects by their ids, in the order of the ids; null as in `node`.',
      authScopes: { user: true },
      nullable: { list: true, items: true },
      args: { ids: { description: `At most ${maxPage}.`, validate: z.array(z.unknown()).max(maxPage) } },
      async resolve(_root, args, _context, info, resolveNodes) {
        const { ids } = args
        // The plugin reads the arguments again, whatever it is given.
        args.ids = ids.filter((id) => isNodeId(id, info.schema))
        const found = await resolveNodes(args.ids)
        return ids.map((id) => (isNodeId(id, info.schema) ? found.shift() : null))
      },
    },
    // The implementing types decide.
    nodeTypeOptions: { description: 'An object that `node` finds by its id.', authScopes: { public: true } },
    pageInfoTypeOptions: {
      description: 'Where a page lies in its list: give `endCursor` as `after` to get the next one.',
      authScopes: { user: true },
    },
    defaultConnectionTypeOptions: { description: 'A page of a list.', authScopes: { user: true } },
    defaultEdgeTypeOptions: {
      description: 'An object of a list, with the cursor of its place there.',
      authScopes: { user: true },
    },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 10,
    limit: { complexity: 20_000, breadth: 800 },
    complexityError: tooComplex,
  },
})

builder.queryType({ description: 'Reads. Rows that are not yours to see are left out, or null.' })
builder.mutationType({
  description:
    'Changes. Each answers with a union: its success, or failures that people can mend. What no form could send, and rights that are missing, are errors.',
})
builder.subscriptionType({
  description:
    'What happens, as it happens, over WebSocket (graphql-transport-ws) or server-sent events; only what is yours to see. A socket is closed with 4403 when its session ends.',
})
