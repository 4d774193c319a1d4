import { parseEnv } from 'node:util'

/** What a `.env` file says. `problems` name lines by number, never by content: any of them may hold a secret. */
export interface EnvFile {
  values: Readonly<Record<string, string>>
  problems: readonly string[]
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/
const quoted = /^(["'`])(?:(?!\1).)*\1\s*(?:#.*)?$/

/**
 * Reads the text of a `.env` file: `NAME=value` or `export NAME=value` a line, `#` comments, values bare or in one pair of
 * ' " or `. Node's own parser gives the values; the checks around it are for what it passes over in silence: it folds a
 * line without `=` into the next name, runs an unclosed quote into later lines, and cuts a bare value at the first `#`.
 */
export function parseEnvFile(text: string): EnvFile {
  const clean = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const problems = clean.split('\n').flatMap((line, index) => {
    const problem = problemOf(line)
    return problem ? [`.env line ${index + 1}: ${problem}`] : []
  })
  // With a bad line the names themselves can be pieces of secrets: nothing of such a file is used.
  return { values: problems.length ? {} : ({ ...parseEnv(clean) } as Record<string, string>), problems }
}

function problemOf(line: string): string | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined
  const [, name, value] = assignment.exec(line) ?? []
  if (name === undefined || value === undefined) return 'is not NAME=value'
  if (/^["'`]/.test(value))
    return quoted.test(value) ? undefined : `the value of ${name} is not one quoted text on one line`
  if (/[^\s]#/.test(value.replace(/\s#.*$/, '')) || value.startsWith('#'))
    return `the value of ${name} holds a #: put it in quotes, or a space before a comment`
  return undefined
}
