import type { Account } from '../../accounts/account.ts'
import { isEligible, returnsAtMs } from '../../accounts/state/eligibility.ts'

/** What a choice depends on. Pure: the moment and the draw are arguments. */
export interface Wish {
  model: string
  nowMs: number
  /** The account this conversation went to before. */
  stickyId: number | undefined
  /** In [0, 1): one draw for one account. The same conversation draws the same for the same account, on every process. */
  draw: (accountId: number) => number
  /** Accounts tried already. */
  tried: ReadonlySet<number>
  /** The conversation leaves its account for one of a smaller priority number. */
  returns: boolean
  /** It counts in the account's concurrency, and so needs a free place. */
  needsPlace: boolean
}

/** What a request of a new conversation would wish. */
export function simulatedWish(model: string, nowMs: number, chance: () => number): Wish {
  return {
    model,
    nowMs,
    stickyId: undefined,
    draw: chance,
    tried: new Set(),
    returns: false,
    needsPlace: true,
  }
}

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
export function choose(accounts: readonly Account[], wish: Wish): Account | undefined {
  return chooseAmong(accounts, wish, false) ?? chooseAmong(accounts, wish, true)
}

/** `isLast`: nobody else can, so also one whose trial is under way. */
function chooseAmong(accounts: readonly Account[], wish: Wish, isLast: boolean): Account | undefined {
  let priority = Number.POSITIVE_INFINITY
  let inFlight = 0
  let weight = 0
  let sticky: Account | undefined
  for (const account of accounts) {
    if (!mayTake(account, wish, isLast)) continue
    if (account.id === wish.stickyId) {
      if (!wish.returns) return account
      sticky = account
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
  if (sticky?.priority === priority) return sticky
  let best: Account | undefined
  let bestDraw = Number.POSITIVE_INFINITY
  // Together the shares are above the load, so that one account at least is below its own.
  const loadOfWeight = (loadSlack * (inFlight + 1)) / weight
  for (const account of accounts) {
    if (account.priority !== priority || !mayTake(account, wish, isLast)) continue
    if (account.live.inFlight >= Math.ceil(loadOfWeight * account.weight)) continue
    const draw = -Math.log(1 - wish.draw(account.id)) / account.weight
    if (draw < bestDraw) {
      best = account
      bestDraw = draw
    }
  }
  return best
}

function mayTake(account: Account, wish: Wish, isLast: boolean): boolean {
  return mayServe(account, wish, isLast) && !(wish.needsPlace && isFull(account))
}

/** Everything but a free place. */
function mayServe(account: Account, wish: Wish, isLast: boolean): boolean {
  return (
    !wish.tried.has(account.id) &&
    serves(account, wish.model) &&
    isEligible(account.live.state, wish.model, wish.nowMs, isLast)
  )
}

/** What can become of an account in a choice; in the order of the numbers that the trace keeps. */
export const routeReasons = [
  'chosen',
  'disabled',
  'model_not_allowed',
  'tried',
  'resting',
  'full',
  'sticky_elsewhere',
  'lower_priority',
  'lost_draw',
] as const
export type RouteReason = (typeof routeReasons)[number]

/** Why an account was chosen or not, right after `choose` with the same wish: an index of `routeReasons`. */
export function reasonFor(account: Account, wish: Wish, chosen: Account | undefined): number {
  if (account === chosen) return 0
  if (!account.enabled || account.weight <= 0) return 1
  if (!account.models.allows(wish.model)) return 2
  if (wish.tried.size > 0 && wish.tried.has(account.id)) return 3
  if (!isEligible(account.live.state, wish.model, wish.nowMs)) return 4
  if (wish.needsPlace && isFull(account)) return 5
  if (chosen !== undefined && chosen.id === wish.stickyId) return 6
  return chosen !== undefined && account.priority > chosen.priority ? 7 : 8
}

/** True when as many requests are in flight there as it may have at once. */
function isFull(account: Account): boolean {
  return account.concurrency !== null && account.live.inFlight >= account.concurrency
}

/** True when a place is all that is missing: some account would take the request, and is full. */
export function waitsForPlace(accounts: readonly Account[], wish: Wish): boolean {
  return wish.needsPlace && accounts.some((account) => isFull(account) && mayServe(account, wish, true))
}

/** True when the conversation's account has a larger priority number than another that could take the request. */
export function isDisplaced(accounts: readonly Account[], wish: Wish): boolean {
  const own = accounts.find((account) => account.id === wish.stickyId)
  return (
    own !== undefined && accounts.some((account) => account.priority < own.priority && mayTake(account, wish, false))
  )
}

/** True when the account is switched on and its list allows the model, whatever its state. */
export function serves(account: Account, model: string): boolean {
  return account.enabled && account.weight > 0 && account.models.allows(model)
}

/** When the first of the accounts that serve the model returns by itself; null: none does. Undefined: no account serves it. */
export function soonestReturnMs(accounts: readonly Account[], model: string): number | null | undefined {
  let soonest: number | null | undefined
  for (const account of accounts) {
    if (!serves(account, model)) continue
    const returns = returnsAtMs(account.live.state, model)
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
