/**
 * What the live door tells: public snapshots, made once at the source. No secret, no prompt, no header has a field here.
 * Ids are the database's; `userId` is the owner (0: none) and decides who may see the event, it is not shown.
 */
export type LiveRequest = {
  /** `req_…` */
  requestId: string
  startedAtMs: number
  apiKeyId: number
  apiKeyName: string
  userId: number
  groupId: number
  /** Null before an account is chosen. */
  accountId: number | null
  accountName: string | null
  model: string
  stream: boolean
  /** 1 for the first account tried; 0 before. */
  attempt: number
  queuePosition: number | null
  firstByteMs: number | null
  /** Tokens so far; cache reads and writes count as input here. */
  inputTokens: number
  outputTokens: number
}

export type SettledRequest = {
  requestId: string
  startedAtMs: number
  apiKeyId: number
  apiKeyName: string
  userId: number
  groupId: number
  accountId: number | null
  accountName: string | null
  model: string
  stream: boolean
  outcome: 'completed' | 'failed' | 'aborted' | 'interrupted'
  httpStatus: number
  errorType: string
  attemptCount: number
  firstByteMs: number | null
  durationMs: number
  /** As the ledger has them. */
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  costNano: number
  /**
   * Where the ledger's record stands: journal's row id and number in it. By it the day's totals tell whether a sum read
   * from the database has the request already. Null only where one process writes and nothing is recounted.
   */
  record: { journalId: number; seq: number } | null
}

export type AccountChange = {
  accountId: number
  name: string
  groupId: number
  userId: number
  enabled: boolean
  state: {
    kind: 'ready' | 'limited' | 'cooling' | 'probing' | 'needs_login' | 'unfunded'
    untilMs: number | null
    reason: string
    fault: { cause: string; place: string } | null
    sinceMs: number
    nextProbeAtMs: number | null
    models: Readonly<Record<string, { untilMs: number; reason: string; nextProbeAtMs?: number }>>
  }
  inFlight: number
  /** What its vendor said last of its limits, the shortest window first. Events of an older program have none. */
  gauges?: readonly LimitGauge[]
  /** The steps of its timeline that are told with this; none when something else changed. */
  steps: readonly AccountStep[]
}

export type LimitGauge = {
  window: string
  status: string
  usedPpm: number | null
  resetMs: number | null
  atMs: number
}

export type AccountStep = {
  atMs: number
  from: AccountChange['state']['kind']
  to: AccountChange['state']['kind']
  /** '' for the whole account. */
  model: string
  untilMs: number | null
  nextProbeAtMs: number | null
  reason: string
  cause: {
    by: 'request' | 'probe' | 'rule' | 'person' | 'time'
    requestId: string
    evidence: { status: number; errorType: string; code: string; message: string } | null
  }
}

/** One thing that happened; exactly one field. */
export type LiveRecord =
  | { started: LiveRequest }
  | { progress: LiveRequest }
  | { settled: SettledRequest }
  | { account: AccountChange }

/** How many events were missed, at most; 0: nobody knows. The lists must be read again. */
export type Gap = { dropped: number }

/** As a subscriber gets it. `sequence` is where to resume after it. Shared by all subscribers: never change one. */
export type LiveEvent = { sequence: string } & Partial<{
  gap: Gap
  started: LiveRequest
  progress: LiveRequest
  settled: SettledRequest
  account: AccountChange
}>

export type LiveKind = 'started' | 'progress' | 'settled' | 'account'

/** What one process says at once. */
export type LiveBatch = {
  /** The process. */
  from: string
  /** Events it had to drop before they could be told. */
  lost: number
  records: LiveRecord[]
  /** The ledger was changed behind the events (journals replayed, rows priced anew): totals must be read again. */
  recount: boolean
}

/** Who looks: `userId` null sees everything, else what belongs to that user. */
export interface LiveViewer {
  userId: number | null
}

export interface LiveFilter {
  viewer: LiveViewer
  /** Absent: all. */
  kinds?: readonly LiveKind[]
  groupId?: number
  apiKeyId?: number
}

/** Whether an event passes. Gaps are for everyone. */
export function passes(filter: LiveFilter, event: LiveEvent): boolean {
  if (event.gap) return true
  if (event.started) return passesRequest(filter, 'started', event.started)
  if (event.progress) return passesRequest(filter, 'progress', event.progress)
  if (event.settled) return passesRequest(filter, 'settled', event.settled)
  if (!event.account || (filter.kinds && !filter.kinds.includes('account'))) return false
  // No account belongs to a key.
  if (filter.apiKeyId !== undefined || !maySee(filter.viewer, event.account)) return false
  return filter.groupId === undefined || event.account.groupId === filter.groupId
}

/** The same for what is told of a request. */
export function passesRequest(filter: LiveFilter, kind: LiveKind, request: LiveRequest | SettledRequest): boolean {
  if (filter.apiKeyId !== undefined && request.apiKeyId !== filter.apiKeyId) return false
  if (filter.kinds && !filter.kinds.includes(kind)) return false
  if (!maySee(filter.viewer, request)) return false
  return filter.groupId === undefined || request.groupId === filter.groupId
}

/** True when whatever passes `narrow` passes `wide` too. */
export function covers(wide: LiveFilter, narrow: LiveFilter): boolean {
  if (wide.viewer.userId !== null && wide.viewer.userId !== narrow.viewer.userId) return false
  if (wide.groupId !== undefined && wide.groupId !== narrow.groupId) return false
  if (wide.apiKeyId !== undefined && wide.apiKeyId !== narrow.apiKeyId) return false
  return !wide.kinds || (narrow.kinds?.every((kind) => wide.kinds?.includes(kind)) ?? false)
}

/** Users see what is theirs: requests of their keys, changes of their accounts. */
export function maySee(viewer: LiveViewer, about: { userId: number }): boolean {
  return viewer.userId === null || (viewer.userId !== 0 && about.userId === viewer.userId)
}

/** Same text, same events: who shares it may share the answer. */
export function filterKey({ viewer, kinds, groupId, apiKeyId }: LiveFilter): string {
  return `${viewer.userId ?? '*'}|${kinds?.join() ?? '*'}|${groupId ?? '*'}|${apiKeyId ?? '*'}`
}
