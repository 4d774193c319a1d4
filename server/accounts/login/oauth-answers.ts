import type { Tokens } from '../credential.ts'

/** What a vendor's token endpoint says to a code. Reasons are for people: error codes and hosts, never tokens. */
export type CodeAnswer =
  | { kind: 'tokens'; tokens: Tokens }
  /** The code was looked at and is spent. */
  | { kind: 'refused'; reason: string }
  /** Nobody looked at the code; it may be tried again. */
  | { kind: 'failed'; reason: string; byProxy: boolean }

/** What it says to a refresh token. */
export type RefreshAnswer =
  | { kind: 'tokens'; tokens: Tokens }
  /** The login is over: a person has to sign in again. */
  | { kind: 'refused'; reason: string }
  /** It says nothing about the login; another try later. */
  | { kind: 'failed'; reason: string; retryAfterMs: number | null }
