import type { Account } from '../accounts/accounts.ts'
import { type AccountState, isEligible } from '../accounts/state.ts'
import type { Verdict } from '../upstreams/upstream.ts'
import { tierOf } from '../usage/price-card.ts'
import type { PriceBook } from '../usage/prices.ts'

/** The first probe of an account after this long, each further one after twice as long, up to the longest. */
export interface ProbePace {
  firstMs: number
  longestMs: number
}

/** True for accounts that a probe may bring back: switched on, and not ready now. */
export function wantsProbe(account: Account, nowMs: number): boolean {
  const { kind, untilMs } = account.live.state
  if (!account.enabled || account.secret === '' || kind === 'ready') return false
  // Its time is over: it needs no probe to be ready.
  return !((kind === 'limited' || kind === 'unfunded') && untilMs !== null && untilMs <= nowMs)
}

/** When to look next. `tries`: probes since it is not ready. `chance` in [0, 1) spreads processes and accounts by a fifth. */
export function nextLookMs(nowMs: number, tries: number, chance: number, pace: ProbePace): number {
  const restMs = Math.min(pace.firstMs * 2 ** Math.min(tries, 20), pace.longestMs)
  return nowMs + Math.round(restMs * (0.9 + chance / 5))
}

/**
 * Whether an answer brings the account back. Never the opposite: what a probe is refused says nothing that a request did
 * not say before. `judged` is null for status 200.
 */
export function isBack(state: Pick<AccountState, 'kind'>, judged: Verdict | null, wasMessage = true): boolean {
  // A page about the account is also shown to those that may send nothing now.
  const saysNothing = !wasMessage && (state.kind === 'limited' || state.kind === 'unfunded')
  if (judged === null) return !saysNothing
  // The upstream works and reads requests; of money, limits and logins this says nothing.
  return judged.kind === 'caller' && (state.kind === 'cooling' || state.kind === 'probing')
}

/** Tokens of the question a probe asks, about. */
const questionTokens = 10

/** The cheapest model that the account may be asked for: of those it served lately, else of those that have a price. */
export function cheapestModel(
  account: Account,
  served: readonly string[],
  book: PriceBook,
  nowMs: number,
): string | null {
  const named = [...account.mapping.names, ...account.models.names]
  const known = book.knownModels().filter((name) => name.startsWith('claude-'))
  for (const names of [served, named, known]) {
    const allowed = names.filter((name) => account.models.allows(name) && !restsHere(account, name, nowMs))
    const priced = allowed.map((name) => ({ name, pico: costPico(account.mapping.map(name), book, nowMs) }))
    const [cheapest] = priced.sort((one, other) => one.pico - other.pico)
    if (cheapest) return cheapest.name
  }
  return null
}

function restsHere({ live }: Account, model: string, nowMs: number): boolean {
  return !isEligible({ ...live.state, kind: 'ready' }, model, nowMs)
}

function costPico(model: string, book: PriceBook, nowMs: number): number {
  const { inputPico, outputPico } = tierOf(book.find(model, nowMs).card, questionTokens, 'standard')
  return inputPico * questionTokens + outputPico
}
