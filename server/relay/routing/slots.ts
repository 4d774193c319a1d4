import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { LiveSource } from '../../live/hub.ts'
import type { Exchange } from '../request/exchange.ts'
import type { TrialWish } from './affinity.ts'
import { createQueue, type QueueLimits } from './queue.ts'
import type { Trace } from './route-trace.ts'
import { choose, waitsForPlace } from './schedule.ts'

export interface PlacesParts {
  accounts: Accounts
  live: LiveSource
  queue: QueueLimits
  trace: Trace
  now: () => number
}

/**
 * Requests at their accounts: chosen and counted in one step, so that requests of the same moment see each other, and those
 * that find every account full wait in line. Counted in this process: between processes a limit is each one's own, which
 * costs no round trip, and is what the README says.
 */
export function createPlaces(parts: PlacesParts) {
  const { accounts, live, trace } = parts
  const membersFor = (exchange: Exchange) => accounts.ofGroup(exchange.key.groupId)
  const queue = createQueue({
    limits: parts.queue,
    now: parts.now,
    take: (exchange, wish) => takeNow(exchange, wish),
    waitsForPlace: (exchange, wish) => waitsForPlace(membersFor(exchange), wish),
    onPosition({ told }, position) {
      if (!told || told.queuePosition === position) return
      told.queuePosition = position
      live.progress(told)
    },
  })

  function takeNow(exchange: Exchange, wish: TrialWish, isWaiting = true): Account | undefined {
    const members = membersFor(exchange)
    const account = choose(members, wish)
    // Of those in line only the end of the wait is told.
    if (account || !isWaiting) trace.record(exchange.id.text, exchange.key, members, wish, account)
    if (!account) return undefined
    exchange.account = account
    if (exchange.metered) {
      exchange.holdsPlace = true
      account.live.inFlight++
    }
    return account
  }

  return {
    /** The account for this request, counted as being there until it is freed; undefined: none can take it now. */
    take(exchange: Exchange, wish: TrialWish): Account | undefined {
      // Nobody overtakes those in line.
      queue.serve(exchange.key.groupId)
      return takeNow(exchange, wish, false)
    },

    /** The same, waiting in line where a place is all that is missing. */
    async await(exchange: Exchange, wish: TrialWish): Promise<Account | undefined> {
      return waitsForPlace(membersFor(exchange), wish) ? queue.join(exchange, wish) : undefined
    },

    /** The request has left its account. Once is enough, twice does no harm. */
    free(exchange: Exchange): void {
      const { account } = exchange
      if (!exchange.holdsPlace || !account) return
      exchange.holdsPlace = false
      account.live.inFlight--
      if (account.concurrency !== null) queue.serve(exchange.key.groupId)
    },

    cutOff: queue.cutOff,
  }
}

export type Places = ReturnType<typeof createPlaces>
