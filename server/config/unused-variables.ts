import { type VariableName, variableNames, variables } from './variables.ts'

/** Variables of the original system that do nothing here, and what to know instead. */
const originalVariables: Readonly<Record<string, string>> = {
  JWT_SECRET: 'replaced by MASTER_SECRET',
  SALT: 'replaced by MASTER_SECRET',
  SESSION_SECRET: 'replaced by MASTER_SECRET',
  HTTP_CLIENT_TIMEOUT: 'replaced by limits of silence: no answer is cut for being long',
  LOG_RECORD_API: 'replaced by the audit log, which has every change',
  LOG_RETENTION_MONTHS: 'no effect yet: nothing is deleted',
  SYSTEM_NAME: 'replaced by the setting systemName (updateSettings)',
  ENABLE_REGISTRATION: 'no effect yet: administrators add people',
  SERVE_STATIC: 'no effect: the dashboard is always served',
}

const ourPrefixes = /^(MYSQL|REDIS|SMTP|LOG|DEFAULT_ADMIN|UPSTREAM|PROVISION)_/

/** Kubernetes describes a neighbour named mysql or redis in variables of these forms; they are no mistake. */
const madeByKubernetes = /^(MYSQL|REDIS)_(SERVICE_|PORT_\d)/

/**
 * Warnings about variables that the program does not know. In a file every name is meant for the relay; in the
 * environment only names that look like ours are. A warning never has a value: it could be a secret.
 */
export function warnOfUnused(names: Iterable<string>, inFile: ReadonlySet<string>): string[] {
  return [...names].flatMap((name) => {
    if (Object.hasOwn(variables, name) || madeByKubernetes.test(name)) return []
    const replaced = Object.hasOwn(originalVariables, name) ? originalVariables[name] : undefined
    if (replaced) return [`${name}: ${replaced}`]
    if (name.startsWith('SMTP_')) return [`${name}: no effect yet: no mail is sent`]
    const meant = nearest(name)
    if (meant) return [`${name} is not a setting: did you mean ${meant}?`]
    return inFile.has(name) || ourPrefixes.test(name) ? [`${name} is not a setting and has no effect`] : []
  })
}

function nearest(name: string): VariableName | undefined {
  const upper = name.toUpperCase()
  const [best] = variableNames
    .map((known) => ({ known, off: lettersOff(upper, known) }))
    // Two letters of a short name are half of it: HOME is not HOST.
    .filter(({ known, off }) => off <= (known.length < 6 ? 1 : 2))
    .sort((a, b) => a.off - b.off)
  return best?.known
}

/** Levenshtein distance. */
function lettersOff(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
