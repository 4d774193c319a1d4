import type { Tokens } from '../credential.ts'

/** The login of a credentials file, or what is wrong with it: a clause that follows the field's name and holds no value. */
export type ImportedLogin = { tokens: Tokens; plan: string | undefined } | { problem: string }

/**
 * Reads the text of a credentials file: Claude Code's `.credentials.json` (`claudeAiOauth`, times in milliseconds) or the
 * vendor's SDK profile (`access_token`, times in seconds). Times are told apart by their size, whatever the shape.
 */
export function readCredentialsFile(text: string): ImportedLogin {
  const file = objectOf(parsed(text))
  if (!file) return { problem: 'is not a JSON object' }
  const inner = objectOf(file['claudeAiOauth'])
  if (inner) return readShape(inner, 'claudeAiOauth.', ['accessToken', 'refreshToken', 'expiresAt'])
  if ('claudeAiOauth' in file) return { problem: 'has no object under claudeAiOauth' }
  if ('access_token' in file) return readShape(file, '', ['access_token', 'refresh_token', 'expires_at'])
  return { problem: 'has neither claudeAiOauth nor access_token: it is no credentials file' }
}

type Names = readonly [access: string, refresh: string, expires: string]

function readShape(from: Record<string, unknown>, at: string, [access, refresh, expires]: Names): ImportedLogin {
  const accessToken = from[access]
  if (!isToken(accessToken)) return { problem: `has no usable ${at}${access}` }
  const refreshToken = from[refresh] ?? null
  if (refreshToken !== null && !isToken(refreshToken)) return { problem: `has no usable ${at}${refresh}` }
  const said = from[expires] ?? null
  const expiresAtMs = said === null ? null : epochMs(said)
  if (said !== null && expiresAtMs === null) return { problem: `has no time in ${at}${expires}` }
  const plan = from['subscriptionType']
  return {
    tokens: { accessToken, refreshToken, expiresAtMs },
    plan: typeof plan === 'string' && /^[\w .-]{1,60}$/.test(plan) ? plan : undefined,
  }
}

/** Seconds or milliseconds since 1970: 1e11 seconds are the year 5138, 1e11 milliseconds 1973. */
function epochMs(said: unknown): number | null {
  if (typeof said !== 'number' || !Number.isFinite(said) || said <= 0) return null
  const ms = said > 1e11 ? said : said * 1000
  return ms < 4e12 ? Math.round(ms) : null
}

/** It travels in a header: printable ASCII, no spaces. */
const isToken = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]{1,8192}$/.test(value)

const objectOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return null
  }
}
