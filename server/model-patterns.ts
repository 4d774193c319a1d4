/** A list of models as people write it: exact names or `*` wildcards, in any case. */
export interface ModelList {
  allows(model: string): boolean
  /** The names without a wildcard, as written. */
  names: readonly string[]
  /** All of them as written; empty: every model. */
  patterns: readonly string[]
  /** True when a wildcard alone (`*`) allows everything. */
  everything: boolean
}

/** An empty list allows every model. */
export function createModelList(patterns: readonly string[]): ModelList {
  const names = patterns.filter((pattern) => !pattern.includes('*'))
  const exact = new Set(names.map((name) => name.toLowerCase()))
  const everything = patterns.length === 0 || patterns.includes('*')
  const globs = patterns.filter((pattern) => pattern.includes('*') && pattern !== '*').map(globOf)
  return {
    names,
    patterns,
    everything,
    allows(model) {
      if (everything) return true
      const name = model.toLowerCase()
      return exact.has(name) || globs.some((fits) => fits(name))
    },
  }
}

export interface ModelMapping {
  /** The name to send upstream; the same string when no pattern fits. The first pattern that fits wins. */
  map(model: string): string
  /** Requested names without a wildcard, as written. */
  names: readonly string[]
}

/** `pairs`: the sent model by requested pattern. */
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

/** One pattern, which must fit the whole text, in any case. */
export function createPattern(pattern: string): { test(text: string): boolean } {
  const fits = globOf(pattern)
  return { test: (text) => fits(text.toLowerCase()) }
}

/** True when a name fits the pattern; compiles the pattern at each call. */
export function fitsPattern(pattern: string, model: string): boolean {
  return globOf(pattern)(model.toLowerCase())
}

/** Takes time linear in the length of the name, because callers choose it; a regular expression with several `*` would not. */
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
