import './my-key.ts'
import './key-events.ts'
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { builder } from './builder.ts'

export const buildKeyHolderSchema = (): GraphQLSchema => builder.toSchema()

/** The text of key.graphql. */
export const printedKeyHolderSchema = (): string => `${printSchema(lexicographicSortSchema(buildKeyHolderSchema()))}\n`
