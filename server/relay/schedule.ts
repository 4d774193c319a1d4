import type { Account } from '../accounts/accounts.ts'
import { isEligible, returnsAtMs } from '../accounts/state.ts'

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
}

/**
 * The account to try next: the conversation's own if it can; else of the smallest priority number a weighted draw
 * (rendezvous: each draws, the weight bends the draw, the best wins). Undefined: none is eligible.
 */
export function choose(accounts: readonly Account[], wish: Wish): Account | undefined {
  return chooseAmong(accounts, wish, false) ?? chooseAmong(accounts, wish, true)
}

/** `isLast`: nobody else can, so also one whose trial is under way. */
function chooseAmong(accounts: readonly Account[], wish: Wish, isLast: boolean): Account | undefined {
  let best: Account | undefined
  let bestDraw = Number.POSITIVE_INFINITY
  for (const account of accounts) {
    if (
      wish.tried.has(account.id) ||
      !serves(account, wish.model) ||
      !isEligible(account.live.state, wish.model, wish.nowMs, isLast)
    )
      continue
    if (account.id === wish.stickyId) return account
    if (best && account.priority > best.priority) continue
    const draw = -Math.log(1 - wish.draw(account.id)) / account.weight
    if (!best || account.priority < best.priority || draw < bestDraw) {
      best = account
      bestDraw = draw
    }
  }
  return best
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
