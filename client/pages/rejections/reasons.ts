import type { RejectionReason } from '../../graphql/rejection-operations.ts'

/** Why a request was refused before any upstream was asked: the client's fault first, then limits, then accounts. */
export const rejectionReasons = [
  'KEY_MISSING',
  'KEY_UNKNOWN',
  'KEY_EXPIRED',
  'KEY_DISABLED',
  'REQUEST_INVALID',
  'BODY_ENCODING_UNSUPPORTED',
  'BODY_TOO_LARGE',
  'BODY_TOO_SLOW',
  'BODY_MEMORY_FULL',
  'MODEL_NOT_ALLOWED',
  'LIMIT_REACHED',
  'LIMIT_HELD',
  'RATE_REACHED',
  'CONCURRENCY_REACHED',
  'ACCOUNTS_BUSY',
  'ACCOUNTS_NOT_READY',
  'ACCOUNTS_MISSING',
  'UPSTREAM_MISCONFIGURED',
  'LEDGER_UNAVAILABLE',
  'STOPPING',
  'OTHER',
] as const satisfies readonly RejectionReason[]
