import type { Tokens } from '../credential.ts'

/** What a vendor's token endpoint responds to a code. Reasons are for people: error codes and hosts, never tokens. */
export type CodeResponse =
  | { kind: 'tokens'; tokens: Tokens }
  /** The vendor has read the code: it cannot be used again. */
  | { kind: 'refused'; reason: string }
  /** The vendor has not read the code: it may be tried again. */
  | { kind: 'failed'; reason: string; byProxy: boolean }

/** What it responds to a refresh token. */
export type RefreshResponse =
  | { kind: 'tokens'; tokens: Tokens }
  /** The login is over: a person has to sign in again. */
  | { kind: 'refused'; reason: string }
  /** The login may still be good; it is tried again later. */
  | { kind: 'failed'; reason: string; retryAfterMs: number | null }
