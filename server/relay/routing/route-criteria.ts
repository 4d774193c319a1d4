// What the choice of an account depends on.
import type { Account } from '../../accounts/account.ts'

/** Time and random draw are passed in, so that the choice is a pure function. */
export interface RouteCriteria {
  model: string
  nowMs: number
  /** The account this conversation went to before. */
  affinityId: number | undefined
  /** A random number in [0, 1) for an account. A conversation always gets the same one, on every process. */
  draw: (accountId: number) => number
  /** True when the account's platform can take this request, directly or translated. */
  fits: (account: Account) => boolean
  /** Accounts tried already. */
  tried: ReadonlySet<number>
  /** True when the conversation moves back to a preferred account (one of a smaller priority number). */
  returns: boolean
  /** It counts in the account's concurrency, and so needs a free slot. */
  needsSlot: boolean
}

/** Where a conversation was before. */
export interface ConversationHome {
  accountId: number
  /** The first so many messages may hold reasoning that other accounts signed. */
  foreignBefore: number
}

/** The criteria of one request while it goes from account to account. */
export interface RequestCriteria extends RouteCriteria {
  tried: Set<number>
  /** Accounts whose format cannot express this request. */
  unfit: Set<number>
  /** null when the conversation is new here. */
  home: ConversationHome | null
  /** When it stops waiting in the queue; 0 while it is not queued. */
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
