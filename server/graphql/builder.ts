import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import { GraphQLError } from 'graphql'
import type PrismaTypes from '../generated/pothos-types.ts'
import { getDatamodel } from '../generated/pothos-types.ts'
import type { Context } from './server/context.ts'

export const maxPage = 100
export const defaultPage = 20

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
    Count: { Input: number; Output: number | bigint }
  }
}>({
  // Scopes first: rights are checked before anything else.
  plugins: [ScopeAuthPlugin, PrismaPlugin, RelayPlugin, ComplexityPlugin],
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
  relay: {
    edgesFieldOptions: { nullable: false },
    nodeFieldOptions: { nullable: false },
    nodeQueryOptions: {
      description: 'Any object by its id; null when there is none, or it is not yours to see.',
      authScopes: { user: true },
      nullable: true,
    },
    nodesQueryOptions: false,
    // The implementing types decide.
    nodeTypeOptions: { authScopes: { public: true } },
    pageInfoTypeOptions: { authScopes: { user: true } },
    defaultConnectionTypeOptions: { authScopes: { user: true } },
    defaultEdgeTypeOptions: { authScopes: { user: true } },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 10,
    limit: { complexity: 20_000, breadth: 400 },
    complexityError: (kind) =>
      new GraphQLError(`The query asks for too much at once (${kind}).`, { extensions: { code: 'QUERY_TOO_COMPLEX' } }),
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
