import { initGraphQLTada } from 'gql.tada'
import type { introspection } from './introspection.d.ts'

/** Writes one operation whose variables and answer are typed by the server's schema. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  disableMasking: true
  scalars: { DateTime: string; NanoUsd: string; Count: number }
}>()

export type { ResultOf, VariablesOf } from 'gql.tada'
