import { EnvelopArmor } from '@escape.tech/graphql-armor'
import { type ASTVisitor, BREAK, type DocumentNode, GraphQLError, Kind, type ValidationContext, visit } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Caller, Context } from './context.ts'

/** Fields that check a password or token: one in a document, so that one request is one try. */
const guarded = new Set(['signIn', 'completeSetup', 'changePassword', 'refreshSession'])

/** 2 000 tokens fit easily; what is longer consists of comments and strings. */
const maxTextLength = 64 * 1024
/** Fields repeated in one selection set; fragments count too, for they may hide some. */
const maxRepeats = 30

/**
 * Limits of a document, checked before it runs. Codes: QUERY_TOO_LONG (text, tokens), QUERY_TOO_DEEP, TOO_MANY_REPEATS,
 * TOO_MANY_ALIASES, TOO_MANY_DIRECTIVES, TOO_MANY_SIGN_INS, INTROSPECTION_REFUSED. QUERY_TOO_COMPLEX comes from the builder,
 * which counts complexity.
 */
export function queryLimits(): Plugin<Context>[] {
  return [
    ...(documentLimits() as Plugin<Context>[]),
    { onValidate: ({ addValidationRule }) => addValidationRule(oneSignIn) },
    introspectionForViewers,
    suggestionsForViewers,
  ]
}

/** Those of them that need no viewer. */
export function documentLimits(): Plugin[] {
  const coded = (code: string) => [
    (_context: unknown, error: GraphQLError) => void Object.assign(error.extensions, { code }),
  ]
  const armor = new EnvelopArmor({
    maxTokens: { n: 2_000, onReject: coded('QUERY_TOO_LONG') },
    maxDepth: { n: 12, onReject: coded('QUERY_TOO_DEEP') },
    maxAliases: { n: 30, onReject: coded('TOO_MANY_ALIASES') },
    maxDirectives: { n: 30, onReject: coded('TOO_MANY_DIRECTIVES') },
    // The builder counts cost: it knows pages and lists.
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  }).protect()
  return [beforeValidation, ...(armor.plugins as Plugin[])]
}

/**
 * Before validation, because one of its rules compares all fields of one name with each other: the same field 150 times
 * held the event loop for 70 ms.
 */
const beforeValidation: Plugin = {
  onParse({ params: { source } }) {
    const text = typeof source === 'string' ? source : source.body
    if (text.length > maxTextLength) throw refused('The query is too long.', 'QUERY_TOO_LONG')
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
      return repeats > maxRepeats ? BREAK : undefined
    },
  })
  return repeats > maxRepeats
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

/** At execution, not a validation rule: Yoga caches the result of validation by document, for all viewers. */
const introspectionForViewers: Plugin<Context> = {
  onExecute({ args, setResultAndStopExecution }) {
    const { viewer } = args.contextValue as Context
    if (viewer !== null || !asksForSchema(args.document)) return
    const error = new GraphQLError('Sign in to read the schema.', { extensions: { code: 'INTROSPECTION_REFUSED' } })
    setResultAndStopExecution({ errors: [error] })
  },
}

/** Names of the schema are suggested only to whoever may read it. On the result: Yoga caches validation for all viewers. */
const suggestionsForViewers: Plugin<Context> = {
  onResultProcess({ result, setResult, serverContext }) {
    const { caller } = serverContext as { caller?: Caller }
    if (caller?.viewer || !('errors' in result)) return
    setResult({ ...result, errors: result.errors?.map(withoutSuggestion) })
  },
}

function withoutSuggestion(error: GraphQLError): GraphQLError {
  const message = error.message.replace(/ ?Did you mean .*\?$/s, '')
  if (message === error.message) return error
  const { nodes, source, positions, path, originalError, extensions } = error
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions })
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
