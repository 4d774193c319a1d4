import { type SettingName, settings } from './settings.ts'

/** Variables of the original system that do nothing here, and what to know instead. */
const originalSettings: Readonly<Record<string, string>> = {
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

/** Kubernetes describes a neighbour named mysql or redis in variables of these forms; they are nobody's mistake. */
const madeByKubernetes = /^(MYSQL|REDIS)_(SERVICE_|PORT_\d)/

/**
 * What to tell about variables that are no setting. In a file every name is meant for us; in the environment only those
 * that look like ours are. Names only: a value could be a secret.
 */
export function warnOfUnused(names: Iterable<string>, inFile: ReadonlySet<string>): string[] {
  return [...names].flatMap((name) => {
    if (Object.hasOwn(settings, name) || madeByKubernetes.test(name)) return []
    const told = Object.hasOwn(originalSettings, name) ? originalSettings[name] : undefined
    if (told) return [`${name}: ${told}`]
    if (name.startsWith('SMTP_')) return [`${name}: no effect yet: no mail is sent`]
    const meant = nearest(name)
    if (meant) return [`${name} is not a setting: did you mean ${meant}?`]
    return inFile.has(name) || ourPrefixes.test(name) ? [`${name} is not a setting and has no effect`] : []
  })
}

function nearest(name: string): SettingName | undefined {
  const upper = name.toUpperCase()
  const [best] = (Object.keys(settings) as SettingName[])
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
