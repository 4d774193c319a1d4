import { EnvelopArmor } from '@escape.tech/graphql-armor'
import { type ASTVisitor, BREAK, type DocumentNode, GraphQLError, Kind, type ValidationContext, visit } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Context } from './context.ts'

/** Fields that look at a password: one in a document, so that nobody tries many behind one request. */
const guarded = new Set(['signIn', 'completeSetup', 'changePassword', 'refreshSession'])

/** A document of 2 000 tokens is far shorter; what is longer is made of comments and strings. */
const longestText = 64 * 1024
/** Fields asked again beside themselves, and fragments, which may hide such. */
const mostRepeats = 30

/**
 * Limits on what a document may ask for, before it runs. Codes: QUERY_TOO_LONG (text, tokens), QUERY_TOO_DEEP,
 * TOO_MANY_REPEATS (with fragments), TOO_MANY_ALIASES, TOO_MANY_DIRECTIVES, TOO_MANY_SIGN_INS, INTROSPECTION_REFUSED; QUERY_TOO_COMPLEX comes from the builder. Nobody gets
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
    beforeValidation,
    ...(armor.plugins as Plugin<Context>[]),
    { onValidate: ({ addValidationRule }) => addValidationRule(oneSignIn) },
    introspectionForViewers,
  ]
}

/**
 * Looked at before the rules of validation, one of which compares all fields of one name with each other: 150 times the
 * same field held the event loop for 70 ms.
 */
const beforeValidation: Plugin<Context> = {
  onParse({ params: { source } }) {
    const text = typeof source === 'string' ? source : source.body
    if (text.length > longestText) throw refused('The query is too long.', 'QUERY_TOO_LONG')
    return ({ result, replaceParseResult }) => {
      if (!(result instanceof Error) && repeatsTooOften(result as DocumentNode))
        replaceParseResult(refused('The query asks for the same again and again.', 'TOO_MANY_REPEATS'))
    }
  },
}

const refused = (message: string, code: string): GraphQLError => new GraphQLError(message, { extensions: { code } })

function repeatsTooOften(document: DocumentNode): boolean {
  let repeats = 0
  visit(document, {
    SelectionSet({ selections }) {
      const names = new Set<string>()
      for (const selection of selections) {
        if (selection.kind === Kind.FIELD) names.add((selection.alias ?? selection.name).value)
      }
      repeats += selections.length - names.size
      return repeats > mostRepeats ? BREAK : undefined
    },
  })
  return repeats > mostRepeats
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
