// What the choice of an account depends on.
import type { Account } from '../../accounts/account.ts'

/** Pure: the moment and the draw are arguments. */
export interface RouteCriteria {
  model: string
  nowMs: number
  /** The account this conversation went to before. */
  affinityId: number | undefined
  /** In [0, 1): one draw for one account. The same conversation draws the same for the same account, on every process. */
  draw: (accountId: number) => number
  /** Its upstream has words for the request. */
  fits: (account: Account) => boolean
  /** Accounts tried already. */
  tried: ReadonlySet<number>
  /** The conversation leaves its account for one of a smaller priority number. */
  returns: boolean
  /** It counts in the account's concurrency, and so needs a free slot. */
  needsSlot: boolean
}

/** Where a conversation was before. */
export interface ConversationHome {
  accountId: number
  /** The reasoning of so many messages from the first was signed by other accounts. */
  foreignBefore: number
}

/** The criteria of one request while it goes from account to account. */
export interface RequestCriteria extends RouteCriteria {
  tried: Set<number>
  /** Accounts whose format turned out to have no place for something of it. */
  unfit: Set<number>
  /** null when the conversation is new here. */
  home: ConversationHome | null
  /** When it gives up its place in the queue; 0 before it stands there. */
  waitsUntilMs: number
}

/** What a request of a new conversation would have. */
export function criteriaOfNew(model: string, nowMs: number, chance: () => number): RouteCriteria {
  return {
    model,
    nowMs,
    affinityId: undefined,
    draw: chance,
    fits: () => true,
    tried: new Set(),
    returns: false,
    needsSlot: true,
  }
}
