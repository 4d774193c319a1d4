/** Where the text stops being JSON, counted from 1. The message says what was expected and never quotes the text. */
export class JsonTextError extends Error {
  readonly line: number
  readonly column: number
  constructor(text: string, at: number, expected: string) {
    const before = text.slice(0, at).split('\n')
    super(`line ${before.length}, column ${before.at(-1)!.length + 1}: ${expected}`)
    this.name = 'JsonTextError'
    this.line = before.length
    this.column = before.at(-1)!.length + 1
  }
}

export type JsonPath = readonly (string | number)[]

const deepest = 100

/**
 * Parses JSON that a person wrote. Unlike JSON.parse it hands the text of every number to `number` (money must not pass
 * through a float), refuses a field written twice, and its errors give a place instead of a piece of the text, which
 * could be a secret. For files, not for the relay's path. Throws JsonTextError.
 */
export function parseJsonText(text: string, number: (literal: string, path: JsonPath) => unknown): unknown {
  let at = 0

  const fail = (expected: string, place = at): never => {
    throw new JsonTextError(text, place, expected)
  }
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  const takeSign = (sign: string): boolean => {
    take(/[ \t\n\r]*/y)
    const found = text[at] === sign
    if (found) at++
    take(/[ \t\n\r]*/y)
    return found
  }
  const takeString = (): string => {
    const found = take(/"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y)
    return JSON.parse(found ?? fail('expected a string in double quotes, closed on its line')) as string
  }

  function object(path: JsonPath): Record<string, unknown> {
    const fields = new Map<string, unknown>()
    if (takeSign('}')) return {}
    do {
      take(/[ \t\n\r]*/y)
      const start = at
      const name = takeString()
      if (fields.has(name)) fail('this field was already written in the same object', start)
      if (!takeSign(':')) fail('expected :')
      fields.set(name, value([...path, name]))
    } while (takeSign(','))
    if (!takeSign('}')) fail('expected , or }')
    // fromEntries, so that a field named __proto__ stays a field.
    return Object.fromEntries(fields)
  }

  function array(path: JsonPath): unknown[] {
    const items: unknown[] = []
    if (takeSign(']')) return items
    do items.push(value([...path, items.length]))
    while (takeSign(','))
    if (!takeSign(']')) fail('expected , or ]')
    return items
  }

  function value(path: JsonPath): unknown {
    if (path.length > deepest) fail('nested too deeply')
    if (takeSign('{')) return object(path)
    if (takeSign('[')) return array(path)
    if (text[at] === '"') return takeString()
    const word = take(/(?:true|false|null)\b/y)
    if (word) return JSON.parse(word) as boolean | null
    const literal = take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y)
    return literal === undefined ? fail('expected a value') : number(literal, path)
  }

  const result = value([])
  take(/[ \t\n\r]*/y)
  if (at < text.length) fail('expected the end of the text')
  return result
}
