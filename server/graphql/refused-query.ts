import { GraphQLError } from 'graphql'

/** The error for arguments that a schema of fields refuses. */
export const wrongArguments = ({ issues }: { issues: readonly { message: string; path?: unknown }[] }): GraphQLError =>
  new GraphQLError(
    issues
      .map(({ path, message }) => `${(Array.isArray(path) ? path : []).map(String).join('.')}: ${message}`)
      .join('; '),
    { extensions: { code: 'BAD_USER_INPUT' } },
  )

/** The error for a query whose cost, counted before it runs, is too high. */
export const tooComplex = (kind: string): GraphQLError =>
  new GraphQLError(`The query asks for too much at once (${kind}).`, { extensions: { code: 'QUERY_TOO_COMPLEX' } })
