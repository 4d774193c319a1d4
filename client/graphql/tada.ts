import { initGraphQLTada } from 'gql.tada'
import type { introspection } from './introspection.d.ts'

/** Writes one operation whose variables and answer are typed by the server's schema. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  disableMasking: true
  scalars: { DateTime: string; Decimal: string; NanoUsd: string; Count: number }
}>()

export type { ResultOf, VariablesOf } from 'gql.tada'

/** Why a mutation changed nothing, and what is wrong with a field: the codes of the server's schema. */
export type FailureCode = ReturnType<typeof graphql.scalar<'FailureCode'>>
export type FieldProblemCode = ReturnType<typeof graphql.scalar<'FieldProblemCode'>>
