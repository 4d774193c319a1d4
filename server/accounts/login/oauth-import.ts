import type { FailureValues, FieldProblemCode } from '../../failure-codes.ts'
import type { Tokens } from '../credential.ts'

/** The login of a credentials file, or what is wrong with it. */
export type ImportedLogin =
  | { tokens: Tokens; plan: string | undefined }
  | { problem: FieldProblemCode; values?: FailureValues }

/**
 * Reads the text of a credentials file: Claude Code's `.credentials.json` (`claudeAiOauth`, times in milliseconds) or the
 * vendor's SDK profile (`access_token`, times in seconds). Times are told apart by their size, whatever the shape.
 */
export function readCredentialsFile(text: string): ImportedLogin {
  const file = objectOf(parsed(text))
  if (!file) return { problem: 'CREDENTIALS_FILE_NOT_JSON' }
  const inner = objectOf(file['claudeAiOauth'])
  if (inner) return readShape(inner, 'claudeAiOauth.', ['accessToken', 'refreshToken', 'expiresAt'])
  if ('claudeAiOauth' in file) return incomplete('claudeAiOauth')
  if ('access_token' in file) return readShape(file, '', ['access_token', 'refresh_token', 'expires_at'])
  return { problem: 'CREDENTIALS_FILE_FOREIGN' }
}

const incomplete = (name: string): ImportedLogin => ({ problem: 'CREDENTIALS_FILE_INCOMPLETE', values: { name } })

type Names = readonly [access: string, refresh: string, expires: string]

function readShape(from: Record<string, unknown>, at: string, [access, refresh, expires]: Names): ImportedLogin {
  const accessToken = from[access]
  if (!isToken(accessToken)) return incomplete(`${at}${access}`)
  const refreshToken = from[refresh] ?? null
  if (refreshToken !== null && !isToken(refreshToken)) return incomplete(`${at}${refresh}`)
  const said = from[expires] ?? null
  const expiresAtMs = said === null ? null : epochMs(said)
  if (said !== null && expiresAtMs === null) return incomplete(`${at}${expires}`)
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
