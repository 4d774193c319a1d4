/** Model lists and mappings as people write them: exact names or `*` wildcards, upper and lower case alike. */
export interface ModelList {
  allows(model: string): boolean
  /** The names without a wildcard, as written. */
  names: readonly string[]
  /** True when a wildcard alone (`*`) allows everything. */
  everything: boolean
}

/** An empty list allows everything, as the original's empty restriction did. */
export function createModelList(patterns: readonly string[]): ModelList {
  const names = patterns.filter((pattern) => !pattern.includes('*'))
  const exact = new Set(names.map((name) => name.toLowerCase()))
  const everything = patterns.length === 0 || patterns.includes('*')
  const globs = patterns.filter((pattern) => pattern.includes('*') && pattern !== '*').map(globOf)
  return {
    names,
    everything,
    allows(model) {
      if (everything) return true
      const name = model.toLowerCase()
      return exact.has(name) || globs.some((fits) => fits(name))
    },
  }
}

export interface ModelMapping {
  /** The name to send upstream; the very same string when nothing maps it. First match wins, in the order written. */
  map(model: string): string
  /** Requested names without a wildcard, as written. */
  names: readonly string[]
}

/** `pairs`: requested pattern → model sent. */
export function createModelMapping(pairs: Readonly<Record<string, string>>): ModelMapping {
  const rules = Object.entries(pairs).map(([pattern, target]) => ({ fits: globOf(pattern), target }))
  return {
    names: Object.keys(pairs).filter((pattern) => !pattern.includes('*')),
    map(model) {
      const name = rules.length === 0 ? '' : model.toLowerCase()
      return rules.find((rule) => rule.fits(name))?.target ?? model
    },
  }
}

/** Texts of one pattern: the whole of a text has to fit, upper and lower case alike. */
export function createPattern(pattern: string): { test(text: string): boolean } {
  const fits = globOf(pattern)
  return { test: (text) => fits(text.toLowerCase()) }
}

/** Whether a name fits one pattern, for those who keep no list of compiled ones. */
export function fitsPattern(pattern: string, model: string): boolean {
  return globOf(pattern)(model.toLowerCase())
}

/** Whether a lower-case name fits. Linear in its length: names come from callers, and a regular expression with a few `*` is not. */
function globOf(pattern: string): (lowerCase: string) => boolean {
  const [head = '', ...rest] = pattern.toLowerCase().split(/\*+/)
  const tail = rest.pop()
  if (tail === undefined) return (name) => name === head
  return (name) => {
    if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false
    let from = head.length
    for (const part of rest) {
      const found = name.indexOf(part, from)
      if (found < 0) return false
      from = found + part.length
    }
    return from <= name.length - tail.length
  }
}
