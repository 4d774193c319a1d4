// Remembers why the last requests went to their accounts, for those who ask later.
import type { Account } from '../../accounts/account.ts'
import { returnsAtMs } from '../../accounts/state/eligibility.ts'
import type { RouteCriteria } from './route-criteria.ts'
import { choose, type RouteReason, reasonFor, routeReasons } from './schedule.ts'

/** One choice, as it is shown afterwards. */
export interface RouteDecision {
  atMs: number
  apiKeyId: number
  groupId: number
  model: string
  candidates: RouteCandidate[]
}

export interface RouteCandidate {
  accountId: number
  reason: RouteReason
  /** With `not_ready`: when it returns by itself, epoch ms; null when a person must act. */
  untilMs: number | null
}

/** Choices of about the last hundred requests a second over a minute; candidates are eight bytes and a half each. */
const defaultSizes = { decisions: 8192, candidates: 65_536 }

const cooling = routeReasons.indexOf('not_ready')

/**
 * Numbers are written into rings at the decision; words are made of them when somebody asks. A conversation that stays
 * notes its account only, for the others were not looked at.
 */
export function createTrace(sizes = defaultSizes) {
  const ids: string[] = Array.from({ length: sizes.decisions }, () => '')
  const models: string[] = Array.from({ length: sizes.decisions }, () => '')
  const atMs = new Float64Array(sizes.decisions)
  const keyIds = new Int32Array(sizes.decisions)
  const groupIds = new Int32Array(sizes.decisions)
  /** Candidates ever noted before the decision's own; the ring holds the last of them. */
  const starts = new Float64Array(sizes.decisions)
  const counts = new Int32Array(sizes.decisions)
  const accountIds = new Int32Array(sizes.candidates)
  const reasons = new Uint8Array(sizes.candidates)
  const untils = new Float64Array(sizes.candidates)
  let decisions = 0
  let noted = 0

  function note(account: Account, reason: number, criteria: RouteCriteria): void {
    const at = noted++ % sizes.candidates
    accountIds[at] = account.id
    reasons[at] = reason
    // NaN: only a person can tell.
    untils[at] = reason === cooling ? (returnsAtMs(account.live.state, criteria.model) ?? Number.NaN) : Number.NaN
  }

  function read(index: number): RouteDecision | undefined {
    const start = starts[index]!
    // Overwritten by younger ones.
    if (noted - start > sizes.candidates) return undefined
    const candidates: RouteCandidate[] = []
    for (let i = 0; i < counts[index]!; i++) {
      const at = (start + i) % sizes.candidates
      const until = untils[at]!
      candidates.push({
        accountId: accountIds[at]!,
        reason: routeReasons[reasons[at]!]!,
        untilMs: Number.isNaN(until) ? null : until,
      })
    }
    return {
      atMs: atMs[index]!,
      apiKeyId: keyIds[index]!,
      groupId: groupIds[index]!,
      model: models[index]!,
      candidates,
    }
  }

  return {
    /** Notes a choice that was just made, before it is counted anywhere. On the relay's path: nothing is allocated. */
    record(
      requestId: string,
      key: { id: number; groupId: number },
      members: readonly Account[],
      criteria: RouteCriteria,
      chosen: Account | undefined,
    ): void {
      const index = decisions++ % sizes.decisions
      ids[index] = requestId
      models[index] = criteria.model
      atMs[index] = criteria.nowMs
      keyIds[index] = key.id
      groupIds[index] = key.groupId
      starts[index] = noted
      if (chosen !== undefined && chosen.id === criteria.affinityId && !criteria.returns) note(chosen, 0, criteria)
      else for (const account of members) note(account, reasonFor(account, criteria, chosen), criteria)
      counts[index] = noted - starts[index]!
    },

    /** The choices made for a request, in order; none when they are not in memory any more, or were another process's. */
    of(requestId: string): RouteDecision[] {
      const first = Math.max(0, decisions - sizes.decisions)
      const found: RouteDecision[] = []
      for (let at = first; at < decisions; at++) {
        const index = at % sizes.decisions
        if (ids[index] !== requestId) continue
        const decision = read(index)
        if (decision) found.push(decision)
      }
      return found
    },
  }
}

/** The choice that a request would find, counted nowhere. */
export function simulateRoute(
  key: { id: number; groupId: number },
  members: readonly Account[],
  criteria: RouteCriteria,
): RouteDecision {
  const trace = createTrace({ decisions: 1, candidates: Math.max(1, members.length) })
  trace.record('', key, members, criteria, choose(members, criteria))
  return trace.of('')[0]!
}

export type Trace = ReturnType<typeof createTrace>
