import type { Actor } from '../../identity/audit.ts'
import type { Viewer } from '../../identity/sessions.ts'
import { type Batches, createBatches } from './batches.ts'
import type { GraphqlParts } from './parts.ts'

/** What every resolver gets. */
export interface Context {
  parts: GraphqlParts
  viewer: Viewer | null
  actor: Actor
  batches: Batches
  /** From the request's cookie. */
  refreshToken: string | null
  /** Sets (or with null clears) the refresh cookie of the response; without effect on a socket. */
  setRefreshCookie: (token: { value: string; maxAgeS: number } | null) => void
}

/** Who sent an operation, and from where. */
export interface Caller {
  viewer: Viewer | null
  clientIp: string
  userAgent: string
  requestId: string
  refreshToken?: string | null
  setRefreshCookie?: Context['setRefreshCookie']
}

/** The context of one operation, over HTTP or over a socket. */
export function createContext(parts: GraphqlParts, caller: Caller): Context {
  const { viewer, clientIp, userAgent, requestId } = caller
  return {
    parts,
    viewer,
    actor: { userId: viewer?.userId ?? 0, clientIp, userAgent, requestId },
    batches: createBatches(parts, viewer),
    refreshToken: caller.refreshToken ?? null,
    setRefreshCookie: caller.setRefreshCookie ?? (() => {}),
  }
}
