import type { RejectionSummary } from '../../graphql/rejection-operations.ts'

/** What the page asks at /graphql/key. tests/client/own-key.test.ts checks it against that schema. */
export const keyQuery = `query ($today: RangeInput!, $month: RangeInput!) {
  myKey {
    name state expiresAt validForDays models lastUsedAt requestsPerMinute tokensPerMinute concurrency statusLine
    limits { kind subject limit spent reserved remaining resetsAt rollingHours }
    pool { ready nextReturnAt }
    today: usage(range: $today) { ...use }
    month: usage(range: $month) { ...use }
    requests(first: 20) {
      nodes { requestId startedAt model outcome httpStatus errorType inputTokens outputTokens cacheReadTokens cacheWriteTokens cost }
    }
    rejections(range: $month) { reason requests lastAt message }
  }
}
fragment use on Usage {
  requests completed failed cancelled rejected inputTokens outputTokens cacheReadTokens cacheWriteTokens cost
}`

export const keyEventsQuery = `subscription ($after: String) {
  myKeyEvents(after: $after) { cursor gap { to } events { __typename } }
}`

export interface KeyLimit {
  kind: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'ROLLING' | 'TOTAL'
  subject: 'KEY' | 'USER' | 'GROUP'
  limit: string
  spent: string
  reserved: string
  remaining: string
  resetsAt: string | null
  rollingHours: number | null
}

export interface KeyUse {
  requests: number
  completed: number
  failed: number
  cancelled: number
  rejected: number
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  cost: string
}

export interface KeyRequest {
  requestId: string
  startedAt: string
  model: string
  outcome: 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED' | null
  httpStatus: number | null
  errorType: string | null
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  cost: string | null
}

export interface OwnKey {
  name: string
  state: 'ACTIVE' | 'DISABLED' | 'EXPIRED'
  expiresAt: string | null
  validForDays: number | null
  models: string[]
  lastUsedAt: string | null
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  concurrency: number | null
  statusLine: string
  limits: KeyLimit[]
  pool: { ready: boolean; nextReturnAt: string | null }
  today: KeyUse
  month: KeyUse
  requests: { nodes: KeyRequest[] }
  rejections: RejectionSummary['reasons']
}

/** Why the key's page could not be read. */
export type KeyFailure = 'unknown' | 'too_many' | 'offline'

const dayMs = 86_400_000

/** Posts to /graphql/key with the key in a header, never in an address. */
export const postAsHolder = (secret: string, body: object, accept: string, signal?: AbortSignal): Promise<Response> =>
  fetch('/graphql/key', {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json', accept, 'x-api-key': secret },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })

/** Today begins at midnight of this browser. */
export async function readOwnKey(secret: string, nowMs: number): Promise<OwnKey | KeyFailure> {
  const midnight = new Date(nowMs)
  midnight.setHours(0, 0, 0, 0)
  const to = new Date(nowMs + dayMs).toISOString()
  const variables = {
    today: { from: midnight.toISOString(), to },
    month: { from: new Date(midnight.getTime() - 29 * dayMs).toISOString(), to },
  }
  try {
    const response = await postAsHolder(secret, { query: keyQuery, variables }, 'application/json')
    if (response.status === 401) return 'unknown'
    if (response.status === 429) return 'too_many'
    const body = (await response.json()) as { data?: { myKey?: OwnKey } | null }
    return body.data?.myKey ?? 'offline'
  } catch {
    return 'offline'
  }
}
