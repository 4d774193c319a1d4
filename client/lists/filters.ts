import type { LocationQuery, LocationQueryRaw } from 'vue-router'

export interface FilterOption {
  value: string
  label: string
}

/** One thing that a list can be narrowed by. Its value stands in the URL's query under its name. */
export type Filter =
  | { kind: 'select'; name: string; label: string; options: readonly FilterOption[] }
  /** Options that the server searches, such as groups. */
  | { kind: 'search'; name: string; label: string; find: (text: string) => Promise<FilterOption[] | undefined> }
  /** Two days, in the URL's query as `from` and `to`. */
  | { kind: 'range'; label: string }

/** What the URL's query says of a list. */
export interface ListState {
  search: string
  filters: Record<string, string>
  from: string
  to: string
  /** A column's key, with `-` in front when descending; '' for the server's order. */
  sort: string
}

/** The URL's value as a list of one, for the server; null when it is none of the values. */
export function oneOf<Value extends string>(values: readonly Value[], chosen: string | undefined): Value[] | null {
  const value = values.find((one) => one === chosen)
  return value === undefined ? null : [value]
}

const reserved = ['search', 'from', 'to', 'sort']
const dayPattern = /^\d{4}-\d\d-\d\d$/

export function readListState(query: LocationQuery): ListState {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '')
  const day = (name: string): string => (dayPattern.test(text(name)) ? text(name) : '')
  const filters = Object.keys(query).filter((name) => !reserved.includes(name) && text(name) !== '')
  return {
    search: text('search'),
    filters: Object.fromEntries(filters.map((name) => [name, text(name)])),
    from: day('from'),
    to: day('to'),
    sort: text('sort'),
  }
}

/** The URL's query of a list. What is empty is left out. */
export function writeListState({ filters, ...state }: ListState): LocationQueryRaw {
  return Object.fromEntries(Object.entries({ ...filters, ...state }).filter(([, value]) => value !== ''))
}

/** Start of `from` and end of `to` as ISO times, in the browser's time zone. */
export function momentsOf({ from, to }: Pick<ListState, 'from' | 'to'>): { from: string | null; to: string | null } {
  const start = (day: string, daysLater: number): string => {
    const date = new Date(`${day}T00:00:00`)
    date.setDate(date.getDate() + daysLater)
    return date.toISOString()
  }
  return { from: from === '' ? null : start(from, 0), to: to === '' ? null : start(to, 1) }
}
