import { decodeGlobalID } from '@pothos/plugin-relay'
import { GraphQLError } from 'graphql'
import { z } from 'zod'
import { says } from '../failure-codes.ts'

/** Input values of more than one noun. Absent keeps, null clears; where nothing can be cleared, null is refused. */

/** The number in a global id of `type`; −1, which no row has, for anything else. */
export function idNumber(globalId: string, type: string): number {
  try {
    const { typename, id } = decodeGlobalID(globalId)
    return typename === type && /^[1-9]\d{0,9}$/.test(id) && Number(id) < 2 ** 31 ? Number(id) : -1
  } catch {
    return -1
  }
}

/** A key of 64 bits as decimal text. */
export const isRowKey = (text: string): boolean => /^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n

/** The key behind which a list goes on; refuses what is none. */
export function rowKey(after: string | null | undefined): bigint | undefined {
  if (after === null || after === undefined) return undefined
  if (!isRowKey(after)) throw badInput('`after` is not a cursor.')
  return BigInt(after)
}

/** The number of a row for a lookup by the id of a node; −1, which no row has, beyond the column. */
export const rowId = (id: string): number => (Number(id) < 2 ** 31 ? Number(id) : -1)

/** The numbers of a filter's global ids; refuses ids of another type. */
export function idNumbers(globalIds: readonly string[], type: string): number[] {
  return globalIds.map((text) => {
    const id = idNumber(text, type)
    if (id === -1) throw badInput(`A filter names something that is not the id of a ${type}.`)
    return id
  })
}

export const globalId = (type: 'User' | 'Group' | 'Account' | 'ApiKey' | 'ErrorRule') =>
  z.string().transform((text) => idNumber(text, type))

/** Arguments of mutations that only name an object. */
export const onlyId = (type: 'User' | 'Group' | 'Account' | 'ApiKey' | 'ErrorRule') => z.object({ id: globalId(type) })

/** For signing in: any text of bounded length. */
export const typedText = z.string().max(200, says('TOO_LONG'))

/** Absent and null both mean the value that a new object begins with. */
export const orElse = <Value extends z.ZodType, Fallback>(value: Value, fallback: Fallback) =>
  value.nullish().transform((given) => given ?? fallback)

/** Fields that may stay away but not be null. */
export const unlessAbsent = <Value extends z.ZodType>(value: Value) =>
  value
    .optional()
    .nullable()
    .refine((given) => given !== null, says('EMPTY'))
    .transform((given) => given ?? undefined)

/** For arguments that no form of the dashboard sends. */
export const badInput = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })

const maxSearchLength = 200

/** The condition of a search text; longer ones than any name or address are refused, as the database would. */
export function searched<Where>(text: string | null | undefined, where: (text: string) => Where): Where | object {
  if (!text) return {}
  if (text.length > maxSearchLength) throw badInput(`\`search\` has at most ${maxSearchLength} characters.`)
  return where(text)
}

/** Prisma's page arguments; refuses cursors that no row can have, at which Prisma would fail. */
export function soundPage<Page extends object>(page: Page): Page {
  const { cursor } = page as { cursor?: { id?: unknown } }
  if (cursor === undefined) return page
  const { id } = cursor
  const isSound =
    typeof id === 'bigint' ? id >= 0 && id < 2n ** 63n : Number.isInteger(id) && 0 <= Number(id) && Number(id) < 2 ** 31
  if (!isSound) throw badInput('`after` or `before` is not a cursor.')
  return page
}
