import { LRUCache } from 'lru-cache'
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import { countMessages } from '../attempt/foreign-reasoning.ts'
import { beginsTurn } from '../request/conversation.ts'
import type { ConversationPlace, Exchange } from '../request/exchange.ts'
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
  const sticky = new LRUCache<string, ConversationPlace>({
    max: 100_000,
    ttl: stickyMs,
    updateAgeOnGet: true,
    perf: { now },
  })

  /** What a request wants of an account, with the one its conversation went to before. */
  function wishOf(exchange: Exchange): TrialWish {
    const { stickyKey } = exchange
    if (stickyKey !== '') exchange.cameFrom = sticky.get(stickyKey) ?? null
    const wish: TrialWish = {
      model: exchange.model,
      nowMs: exchange.id.atMs,
      stickyId: exchange.cameFrom?.accountId,
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
      wish.returns =
        exchange.lastMessage !== undefined &&
        beginsTurn(exchange.body.subarray(exchange.lastMessage.start, exchange.lastMessage.end))
    return wish
  }

  /** The account answered: the conversation stays there. */
  function remember({ stickyKey, cameFrom, body }: Exchange, { id }: Account): void {
    if (stickyKey === '' || id === cameFrom?.accountId) return
    const foreignBefore = cameFrom === null ? 0 : countMessages(body)
    sticky.set(stickyKey, { accountId: id, foreignBefore })
  }

  /** Of how many messages the reasoning has to be cut for this account; 0 where the group does not want it. */
  function foreignBefore({ cameFrom, key }: Exchange, { id }: Account): number {
    if (cameFrom === null || accounts.group(key.groupId)?.stripForeignReasoning !== true) return 0
    return cameFrom.accountId === id ? cameFrom.foreignBefore : Number.POSITIVE_INFINITY
  }

  return { wishOf, remember, foreignBefore }
}
