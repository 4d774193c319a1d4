/**
 * Events as subscribers get them: snapshots without secrets, prompts or headers. Ids are the database's; `userId` is the
 * owner (0: none) and decides who may read the event, it is not shown.
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
  cacheWrite5mTokens: number
  cacheWrite1hTokens: number
  thinkingTokens: number
  costNano: number
  /** The cost times the charge factors. */
  billedNano: number
  /**
   * The ledger's record: the journal's row id and the number in it. The day's totals see by it whether a sum read from the
   * database includes the request. Null only where one process writes and nothing is recounted.
   */
  record: { journalId: number; seq: number } | null
}

/** Requests of one caller, refused for one reason within one second, before any upstream was asked. */
export type RejectedRequests = {
  /** 0: no key of ours. */
  apiKeyId: number
  apiKeyName: string
  /** The begin of an unknown secret's HMAC; '' when the key is known, or none was sent. */
  secretHash: string
  userId: number
  groupId: number
  /** A code of server/errors.ts. */
  reason: string
  requests: number
  lastAtMs: number
  message: string
  /** Of those that had started, and waited. */
  requestIds: readonly string[]
}

export type AccountChange = {
  accountId: number
  name: string
  groupIds: readonly number[]
  userId: number
  enabled: boolean
  state: {
    kind: 'ready' | 'rate_limited' | 'cooling_down' | 'recovering' | 'reauth_required' | 'out_of_credit'
    untilMs: number | null
    reason: string
    fault: { cause: string; place: string } | null
    sinceMs: number
    nextProbeAtMs: number | null
    models: Readonly<Record<string, { untilMs: number; reason: string; nextProbeAtMs?: number }>>
  }
  /** Its upstream's limits as reported last, the shortest window first. Events of an older program have none. */
  gauges?: readonly LimitGauge[]
  /** The new steps of its timeline; none when something else changed. */
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
  | { rejected: RejectedRequests }
  | { account: AccountChange }

/** What the ring holds: one thing that happened, or that events were lost. Exactly one field. All subscribers share it: never change it. */
export type LiveEvent = Partial<{
  lost: Lost
  started: LiveRequest
  progress: LiveRequest
  settled: SettledRequest
  rejected: RejectedRequests
  account: AccountChange
}>

/** At most so many events; null: nobody knows how many. */
export type Lost = { dropped: number | null }

/** Events after the cursor `from` were lost; those that follow come after `to`. What was read before must be read again. */
export type Gap = { from: string; to: string } & Lost

/** What a subscriber gets at once, in order. `cursor` is where to resume after it; the gap is before the events. */
export interface LiveMessage<Event = LiveEvent> {
  cursor: string
  gap: Gap | null
  events: readonly Event[]
}

export type LiveKind = 'started' | 'progress' | 'settled' | 'rejected' | 'account'

/** What one process writes to the stream at once. */
export type LiveBatch = {
  /** The process. */
  from: string
  /** Events it had to drop before they could be sent. */
  lost: number
  records: LiveRecord[]
  /** The ledger was changed behind the events (journals replayed, rows priced anew): totals must be read again. */
  recount: boolean
}

/** `userId` null reads everything, else what belongs to that user. */
export interface LiveViewer {
  userId: number | null
}

export interface LiveFilter {
  viewer: LiveViewer
  /** Absent: all. */
  kinds?: readonly LiveKind[]
  groupIds?: readonly number[]
  /** Of requests. */
  apiKeyIds?: readonly number[]
  /** Of changes of accounts. */
  accountIds?: readonly number[]
}

/** Whether a subscriber gets an event. */
export function passes(filter: LiveFilter, event: LiveEvent): boolean {
  if (event.started) return passesRequest(filter, 'started', event.started)
  if (event.progress) return passesRequest(filter, 'progress', event.progress)
  if (event.settled) return passesRequest(filter, 'settled', event.settled)
  if (event.rejected) return passesRequest(filter, 'rejected', event.rejected)
  const { account } = event
  if (!account || (filter.kinds && !filter.kinds.includes('account')) || !canRead(filter.viewer, account)) return false
  if (!isAmong(filter.accountIds, account.accountId)) return false
  return filter.groupIds === undefined || account.groupIds.some((id) => filter.groupIds?.includes(id))
}

function passesRequest(
  filter: LiveFilter,
  kind: LiveKind,
  request: { apiKeyId: number; groupId: number; userId: number },
): boolean {
  if (filter.kinds && !filter.kinds.includes(kind)) return false
  if (!isAmong(filter.apiKeyIds, request.apiKeyId) || !isAmong(filter.groupIds, request.groupId)) return false
  return canRead(filter.viewer, request)
}

const isAmong = (ids: readonly number[] | undefined, id: number): boolean => ids === undefined || ids.includes(id)

/** Users read what is theirs: requests of their keys, changes of their accounts. */
export function canRead(viewer: LiveViewer, about: { userId: number }): boolean {
  return viewer.userId === null || (viewer.userId !== 0 && about.userId === viewer.userId)
}
