import type { VariableName } from './variables.ts'

/** A URL that can also be given in parts, under the names that the original system used. */
interface Parts {
  whole: 'DATABASE_URL' | 'REDIS_URL'
  host: VariableName
  rest: readonly VariableName[]
  /** What the URL says of each part. */
  partsOf(url: URL): Partial<Record<VariableName, string>>
  compose(texts: VariableTexts): string
}

/** What is given of each variable, else its default; null where there is neither. */
export type VariableTexts = Readonly<Record<VariableName, string | null>>

export const mysqlParts: Parts = {
  whole: 'DATABASE_URL',
  host: 'MYSQL_HOST',
  rest: ['MYSQL_PORT', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_DATABASE'],
  partsOf: (url) => ({
    MYSQL_HOST: bareHost(url),
    MYSQL_PORT: url.port || '3306',
    MYSQL_USER: decodeURIComponent(url.username),
    MYSQL_PASSWORD: decodeURIComponent(url.password),
    MYSQL_DATABASE: decodeURIComponent(url.pathname.slice(1)),
  }),
  compose(texts) {
    const credentials = `${escaped(texts.MYSQL_USER)}:${escaped(texts.MYSQL_PASSWORD)}`
    return `mysql://${credentials}@${hostInUrl(texts.MYSQL_HOST)}:${texts.MYSQL_PORT}/${escaped(texts.MYSQL_DATABASE)}`
  },
}

export const redisParts: Parts = {
  whole: 'REDIS_URL',
  host: 'REDIS_HOST',
  rest: ['REDIS_PORT', 'REDIS_PASSWORD', 'REDIS_DB'],
  partsOf: (url) => ({
    REDIS_HOST: bareHost(url),
    REDIS_PORT: url.port || '6379',
    REDIS_PASSWORD: decodeURIComponent(url.password),
    REDIS_DB: url.pathname.slice(1) || '0',
  }),
  compose(texts) {
    const credentials = texts.REDIS_PASSWORD ? `:${escaped(texts.REDIS_PASSWORD)}@` : ''
    return `redis://${credentials}${hostInUrl(texts.REDIS_HOST)}:${texts.REDIS_PORT}/${texts.REDIS_DB}`
  },
}

const escaped = (text: string | null) => encodeURIComponent(text ?? '')
const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, '')
const hostInUrl = (host: string | null) => (host?.includes(':') ? `[${host}]` : host)

/**
 * The whole URL, or one made of its parts; null without either. A part that says something else than the URL is a
 * problem. `set` has the variables that were given.
 */
export function urlFromParts(parts: Parts, texts: VariableTexts, set: ReadonlySet<VariableName>) {
  const { whole, host, rest } = parts
  const given = [host, ...rest].filter((name) => set.has(name))
  const url = texts[whole]
  if (url !== null) {
    const contradicting = given.length > 0 ? given.filter((name) => texts[name] !== saidBy(parts, url)[name]) : []
    const problems = contradicting.map((name) => `${whole} and ${name} contradict each other: keep one of them`)
    return { url, problems, warnings: [] }
  }
  if (set.has(host)) return { url: parts.compose(texts), problems: [], warnings: [] }
  return { url: null, problems: [], warnings: given.map((name) => `${name} has no effect without ${host}`) }
}

/** Nothing of a URL that is wrong: it has a problem of its own. */
function saidBy(parts: Parts, url: string): Partial<Record<VariableName, string>> {
  try {
    return parts.partsOf(new URL(url))
  } catch {
    return {}
  }
}
