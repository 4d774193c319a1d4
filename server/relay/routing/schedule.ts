// Chooses the account to try next: pure, from the accounts of a group and a request's criteria.
import type { Account } from '../../accounts/account.ts'
import { fullUntilMs, isEligible, returnsAtMs } from '../../accounts/state/eligibility.ts'
import type { RouteCriteria } from './route-criteria.ts'

/**
 * How far above its fair share of the requests in flight an account may be before new conversations pass it by (consistent
 * hashing with bounded loads, https://arxiv.org/abs/1608.01350): the draw alone decides where load is even, and no account
 * is buried when the draws of a busy minute fall badly.
 */
const loadSlack = 1.25

/**
 * The account to try next: the conversation's own if it can; else of the smallest priority number a weighted draw
 * (rendezvous: each draws, the weight bends the draw, the best wins) among those that are not above their share of the
 * load. Undefined: none can take it now.
 */
export function choose(accounts: readonly Account[], criteria: RouteCriteria): Account | undefined {
  return chooseAmong(accounts, criteria, false) ?? chooseAmong(accounts, criteria, true)
}

/** `isLast`: nobody else can, so also one whose trial is under way. */
function chooseAmong(accounts: readonly Account[], criteria: RouteCriteria, isLast: boolean): Account | undefined {
  let priority = Number.POSITIVE_INFINITY
  let inFlight = 0
  let weight = 0
  let home: Account | undefined
  for (const account of accounts) {
    if (!mayTake(account, criteria, isLast)) continue
    if (account.id === criteria.affinityId) {
      if (!criteria.returns) return account
      home = account
    }
    if (account.priority > priority) continue
    if (account.priority < priority) {
      priority = account.priority
      inFlight = 0
      weight = 0
    }
    inFlight += account.live.inFlight
    weight += account.weight
  }
  if (home?.priority === priority) return home
  let best: Account | undefined
  let bestDraw = Number.POSITIVE_INFINITY
  // Together the shares are above the load, so that one account at least is below its own.
  const loadOfWeight = (loadSlack * (inFlight + 1)) / weight
  for (const account of accounts) {
    if (account.priority !== priority || !mayTake(account, criteria, isLast)) continue
    if (account.live.inFlight >= Math.ceil(loadOfWeight * account.weight)) continue
    const draw = -Math.log(1 - criteria.draw(account.id)) / account.weight
    if (draw < bestDraw) {
      best = account
      bestDraw = draw
    }
  }
  return best
}

function mayTake(account: Account, criteria: RouteCriteria, isLast: boolean): boolean {
  return mayServe(account, criteria, isLast) && !(criteria.needsSlot && isFull(account))
}

/** Everything but a free slot. */
function mayServe(account: Account, criteria: RouteCriteria, isLast: boolean): boolean {
  return (
    !criteria.tried.has(account.id) &&
    serves(account, criteria.model) &&
    criteria.fits(account) &&
    isEligible(account.live.state, criteria.model, criteria.nowMs, isLast) &&
    !isFullFor(account, criteria)
  )
}

/** New sessions stay away where a window of its limits is used up as far as its owner allows; its own sessions go on. */
const isFullFor = (account: Account, { affinityId, nowMs }: RouteCriteria): boolean =>
  account.id !== affinityId && fullUntilMs(account, nowMs) > 0

/** What can become of an account in a choice; in the order of the numbers that the trace keeps. */
export const routeReasons = [
  'chosen',
  'disabled',
  'model_not_allowed',
  'already_tried',
  'not_ready',
  'at_concurrency_limit',
  'session_elsewhere',
  'lower_priority',
  'not_drawn',
  'format_unfit',
  'at_max_utilization',
] as const
export type RouteReason = (typeof routeReasons)[number]

/** Why an account was chosen or not, right after `choose` with the same criteria: an index of `routeReasons`. */
export function reasonFor(account: Account, criteria: RouteCriteria, chosen: Account | undefined): number {
  if (account === chosen) return 0
  if (!account.enabled || account.weight <= 0) return 1
  if (!account.models.allows(criteria.model)) return 2
  if (!criteria.fits(account)) return 9
  if (criteria.tried.size > 0 && criteria.tried.has(account.id)) return 3
  if (!isEligible(account.live.state, criteria.model, criteria.nowMs)) return 4
  if (isFullFor(account, criteria)) return 10
  if (criteria.needsSlot && isFull(account)) return 5
  if (chosen !== undefined && chosen.id === criteria.affinityId) return 6
  return chosen !== undefined && account.priority > chosen.priority ? 7 : 8
}

/** True when as many requests are in flight there as it may have at once. */
function isFull(account: Account): boolean {
  return account.concurrency !== null && account.live.inFlight >= account.concurrency
}

/** True when a slot is all that is missing: some account would take the request, and is full. */
export function waitsForSlot(accounts: readonly Account[], criteria: RouteCriteria): boolean {
  return criteria.needsSlot && accounts.some((account) => isFull(account) && mayServe(account, criteria, true))
}

/** True when the conversation's account has a larger priority number than another that could take the request. */
export function isDisplaced(accounts: readonly Account[], criteria: RouteCriteria): boolean {
  const own = accounts.find((account) => account.id === criteria.affinityId)
  return (
    own !== undefined &&
    accounts.some((account) => account.priority < own.priority && mayTake(account, criteria, false))
  )
}

/** True when the account is switched on and its list allows the model, whatever its state. */
export function serves(account: Account, model: string): boolean {
  return account.enabled && account.weight > 0 && account.models.allows(model)
}

/** When the first of the accounts that serve the model returns by itself; null: none does. Undefined: no account serves it. */
export function soonestReturnMs(
  accounts: readonly Account[],
  { model, nowMs }: Pick<RouteCriteria, 'model' | 'nowMs'>,
): number | null | undefined {
  let soonest: number | null | undefined
  for (const account of accounts) {
    if (!serves(account, model)) continue
    const ready = returnsAtMs(account.live.state, model)
    const returns = ready === null ? null : Math.max(ready, fullUntilMs(account, nowMs))
    if (soonest === undefined) soonest = returns
    else if (returns !== null && (soonest === null || returns < soonest)) soonest = returns
  }
  return soonest
}

/** A draw in [0, 1) from text and number, evenly spread (FNV-1a, then a finaliser): stable across processes. */
export function drawOf(seed: string): (accountId: number) => number {
  let hash = 0x811c9dc5
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193)
  return (accountId) => {
    let mixed = hash ^ Math.imul(accountId, 0x9e3779b1)
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000
  }
}
