import { LRUCache } from 'lru-cache'
import type { Account, Accounts } from '../accounts/accounts.ts'
import { beginsTurn } from './conversation.ts'
import type { Exchange } from './exchange.ts'
import { bytesOf } from './joined.ts'
import { drawOf, isDisplaced, type Wish } from './schedule.ts'

export interface TrialWish extends Wish {
  tried: Set<number>
  /** When it gives up its place in line; 0 before it stands there. */
  waitsUntilMs: number
}

const stickyMs = 3_600_000

/** Which account a conversation went to, for an hour after its last request. */
export function createStickiness(parts: { accounts: Accounts; now: () => number; chance: () => number }) {
  const { accounts, now } = parts
  const sticky = new LRUCache<string, number>({ max: 100_000, ttl: stickyMs, updateAgeOnGet: true, perf: { now } })

  /** What a request wants of an account, with the one its conversation went to before. */
  function wishOf(exchange: Exchange): TrialWish {
    const { stickyKey } = exchange
    const wish: TrialWish = {
      model: exchange.model,
      nowMs: exchange.id.atMs,
      stickyId: stickyKey === '' ? undefined : sticky.get(stickyKey),
      draw: stickyKey === '' ? parts.chance : drawOf(stickyKey),
      tried: new Set<number>(),
      returns: false,
      needsPlace: exchange.metered,
      waitsUntilMs: 0,
    }
    // The message is looked at only when there is somewhere to return to.
    if (
      wish.stickyId !== undefined &&
      exchange.metered &&
      accounts.group(exchange.key.groupId)?.returnsToPriority === true &&
      isDisplaced(accounts.ofGroup(exchange.key.groupId), wish)
    )
      wish.returns = exchange.lastMessage !== undefined && beginsTurn(bytesOf(exchange.body, exchange.lastMessage))
    return wish
  }

  /** The account answered: the conversation stays there. */
  function remember({ stickyKey }: Exchange, { id }: Account, { stickyId }: TrialWish): void {
    if (stickyKey !== '' && id !== stickyId) sticky.set(stickyKey, id)
  }

  return { wishOf, remember }
}
