import { type Failure, fail } from '../../errors.ts'
import type { Keys } from '../../keys/keys.ts'
import { claimsOf, parseCounter } from '../../keys/limits.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Counters } from '../../store/counters.ts'
import type { ZoneDay } from '../../zone-days.ts'
import type { Exchange } from '../request/exchange.ts'
import { holdBudget, type Ticket } from './reserve.ts'

/** What requests hold of their keys' budgets: taken before the upstream is asked, settled with what was spent. */
export function createTickets(parts: {
  counters: Counters
  ledger: Ledger
  keys: Pick<Keys, 'byId'>
  dayAt: (atMs: number) => ZoneDay
  onError: (error: unknown, requestId: string) => void
}) {
  const { counters, ledger } = parts
  const admitParts = {
    counters,
    dayAt: parts.dayAt,
    spentNano: (counter: string) => {
      const { keyId, day } = parseCounter(counter)
      return ledger.spentNano(keyId, day)
    },
  }

  return {
    async hold({ key, id }: Exchange, amountNano: number): Promise<Ticket | Failure> {
      try {
        return await holdBudget(admitParts, key, id.text, amountNano, id.atMs)
      } catch (error) {
        parts.onError(error, id.text)
        return fail('ledger_unavailable', 'The limits of this key cannot be read at the moment.', { retryAfterS: 5 })
      }
    },

    settle({ ticket, key, id }: Exchange, spentNano: number): void {
      // A limit that was set while the request ran counts it too.
      const current = parts.keys.byId(key.id)
      const claims =
        ticket.claims.length > 0 || !current ? ticket.claims : claimsOf(key.id, current, parts.dayAt(id.atMs))
      if (claims.length === 0) return
      const names = claims.map((claim) => claim.counter)
      // The journal first: a counter that outlives this process must not know of a spend that a replay would price anew.
      ledger.flush()
      counters.settle(id.text, spentNano, names).catch((error: unknown) => parts.onError(error, id.text))
    },

    /** Nothing was asked for it. */
    release({ ticket, id }: Exchange): void {
      if (ticket.claims.length === 0) return
      counters.settle(id.text, 0).catch((error: unknown) => parts.onError(error, id.text))
    },
  }
}
