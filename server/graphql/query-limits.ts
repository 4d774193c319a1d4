import { EnvelopArmor } from '@escape.tech/graphql-armor'
import { type ASTVisitor, type DocumentNode, GraphQLError, type ValidationContext, visit } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Context } from './context.ts'

/** Fields that look at a password: one in a document, so that nobody tries many behind one request. */
const guarded = new Set(['signIn', 'completeSetup', 'changePassword', 'refreshSession'])

/**
 * Limits on what a document may ask for, before it runs. Codes: QUERY_TOO_LONG (tokens), QUERY_TOO_DEEP, TOO_MANY_ALIASES,
 * TOO_MANY_DIRECTIVES, TOO_MANY_SIGN_INS, INTROSPECTION_REFUSED; QUERY_TOO_COMPLEX comes from the builder. Nobody gets
 * suggestions of names.
 */
export function queryLimits(): Plugin<Context>[] {
  const coded = (code: string) => [
    (_context: unknown, error: GraphQLError) => void Object.assign(error.extensions, { code }),
  ]
  const armor = new EnvelopArmor({
    maxTokens: { n: 2_000, onReject: coded('QUERY_TOO_LONG') },
    maxDepth: { n: 12, onReject: coded('QUERY_TOO_DEEP') },
    maxAliases: { n: 30, onReject: coded('TOO_MANY_ALIASES') },
    maxDirectives: { n: 30, onReject: coded('TOO_MANY_DIRECTIVES') },
    // The builder's own counts pages and lists.
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: true },
  }).protect()
  return [
    ...(armor.plugins as Plugin<Context>[]),
    { onValidate: ({ addValidationRule }) => addValidationRule(oneSignIn) },
    introspectionForViewers,
  ]
}

function oneSignIn(context: ValidationContext): ASTVisitor {
  let seen = 0
  return {
    Field(node) {
      if (!guarded.has(node.name.value) || ++seen !== 2) return
      context.reportError(
        new GraphQLError('Only one field that signs in may be asked at once.', {
          nodes: node,
          extensions: { code: 'TOO_MANY_SIGN_INS' },
        }),
      )
    },
  }
}

/** At execution, not as a rule of validation: results of those are kept for the next document that reads the same. */
const introspectionForViewers: Plugin<Context> = {
  onExecute({ args, setResultAndStopExecution }) {
    const { viewer } = args.contextValue as Context
    if (viewer !== null || !asksForSchema(args.document)) return
    const error = new GraphQLError('Sign in to read the schema.', { extensions: { code: 'INTROSPECTION_REFUSED' } })
    setResultAndStopExecution({ errors: [error] })
  },
}

function asksForSchema(document: DocumentNode): boolean {
  let found = false
  visit(document, {
    Field(node) {
      if (node.name.value === '__schema' || node.name.value === '__type') found = true
    },
  })
  return found
}
