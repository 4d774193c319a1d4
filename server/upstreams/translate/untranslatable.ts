/** A request that the other format cannot express. `field` names the member of the client's own body ("tools[0].type"). */
export class Untranslatable extends Error {
  override name = 'Untranslatable'
  readonly field: string
  readonly reason: string
  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`)
    this.field = field
    this.reason = reason
  }
}

/** Does it, and names the field of an Untranslatable as the client's own format has it. */
export function withFieldsNamed<T>(nameOf: (field: string) => string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof Untranslatable ? new Untranslatable(nameOf(error.field), error.reason) : error
  }
}

/** JSON of a body or event, before anything is known of it. */
export type Fields = Record<string, unknown>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A count that an upstream reports; 0 for anything that is no count. */
export const countOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0

export function isJsonObject(json: string): boolean {
  try {
    return isFields(JSON.parse(json))
  } catch {
    return false
  }
}

/** The items of a list that are objects; what is no list has none. */
export const itemsOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])
