import type { Account } from '../accounts/account.ts'
import { isEligible, isOut, modelsCoolingDown, waitsFor } from '../accounts/state/eligibility.ts'
import type { AccountState } from '../accounts/state/state.ts'
import { fitsPattern } from '../model-patterns.ts'
import { tierOf } from '../prices/price-card.ts'
import type { PriceBook } from '../prices/prices.ts'
import type { Classification } from '../upstreams/classification.ts'

/** The first probe of a cooldown comes after this long, each further one after twice as long, up to the longest. */
export interface ProbePace {
  firstMs: number
  longestMs: number
}

/**
 * What a probe may bring back there: '' for the account itself, else the models and families that cool down while it serves
 * others. Nothing of accounts that are switched off.
 */
export function cooldownsAt({ enabled, secret, live }: Account, nowMs: number): string[] {
  if (!enabled || secret === '') return []
  return isOut(live.state, nowMs) ? [''] : modelsCoolingDown(live.state, nowMs)
}

/** When the next probe is due. `tries`: probes of this cooldown so far. `chance` in [0, 1) spreads accounts by a fifth. */
export function nextProbeMs(nowMs: number, tries: number, chance: number, pace: ProbePace): number {
  const pauseMs = Math.min(pace.firstMs * 2 ** Math.min(tries, 20), pace.longestMs)
  return nowMs + Math.round(pauseMs * (0.9 + chance / 5))
}

/**
 * Whether an answer brings the account back. Never the opposite: what a probe is refused says nothing that a request did
 * not say before. `error` is null for status 200.
 */
export function isBack(state: Pick<AccountState, 'kind'>, error: Classification | null, wasMessage = true): boolean {
  const awaited = waitsFor(state)
  // A page about the account is also shown to those that may send nothing now.
  if (error === null) return wasMessage || awaited !== 'limit'
  // The upstream works and reads requests; of money, limits and logins this says nothing.
  return error.kind === 'caller' && awaited === 'upstream'
}

/** Tokens of the question a probe asks, about. */
const questionTokens = 10

/**
 * The cheapest model that the account may be asked for: of those it served lately, else of those that it names, else of
 * those that have a price. `pattern`: the model or family that cools down and is to be probed; without it, models that cool
 * down are left alone.
 */
export function cheapestModel(
  account: Account,
  served: readonly string[],
  book: PriceBook,
  nowMs: number,
  pattern = '',
): string | null {
  const fits = (name: string): boolean =>
    account.models.allows(name) &&
    (pattern === '' ? !coolsDownHere(account, name, nowMs) : name === pattern || fitsPattern(pattern, name))
  if (pattern !== '' && !pattern.includes('*')) return fits(pattern) ? pattern : null
  const named = [...account.mapping.names, ...account.models.names]
  const known = book.knownModels().filter((name) => name.startsWith('claude-'))
  for (const names of [served, named, known]) {
    const priced = names.filter(fits).map((name) => ({ name, pico: costPico(account.mapping.map(name), book, nowMs) }))
    const [cheapest] = priced.sort((one, other) => one.pico - other.pico)
    if (cheapest) return cheapest.name
  }
  return null
}

function coolsDownHere({ live }: Account, model: string, nowMs: number): boolean {
  return !isEligible({ ...live.state, kind: 'ready' }, model, nowMs)
}

function costPico(model: string, book: PriceBook, nowMs: number): number {
  const { inputPico, outputPico } = tierOf(book.find(model, nowMs).card, questionTokens, 'standard')
  return inputPico * questionTokens + outputPico
}
