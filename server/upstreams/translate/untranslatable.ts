/** A request that the other format cannot express. `field` names the member of the client's own body ("tools[0].type"). */
export class Untranslatable extends Error {
  override name = 'Untranslatable'
  readonly field: string
  constructor(field: string, message: string) {
    super(`${field}: ${message}`)
    this.field = field
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
