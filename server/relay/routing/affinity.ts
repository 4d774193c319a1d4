// Keeps a conversation on the account that served it, for an hour after its last request.
import { LRUCache } from 'lru-cache'
import type { Account } from '../../accounts/account.ts'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Format } from '../../upstreams/format.ts'
import type { Platform, Platforms } from '../../upstreams/platform.ts'
import { beginsTurn } from '../request/conversation.ts'
import { countMessages } from '../request/foreign-reasoning.ts'
import type { RelayRequest } from '../request/relay-request.ts'
import type { ConversationHome, RequestCriteria } from './route-criteria.ts'
import { drawOf, isDisplaced } from './schedule.ts'

const affinityMs = 3_600_000

export function createAffinity(parts: {
  accounts: Accounts
  platforms: Platforms
  now: () => number
  chance: () => number
}) {
  const { accounts, platforms, now } = parts
  const homes = new LRUCache<string, ConversationHome>({
    // Not `max`, which takes memory for all of them at the start.
    maxSize: 100_000,
    sizeCalculation: () => 1,
    ttl: affinityMs,
    updateAgeOnGet: true,
    // Otherwise each look at the clock starts a timer of 1 ms.
    ttlResolution: 0,
    perf: { now },
  })

  /** What a request wants of an account, with the one its conversation went to before. */
  function criteriaOf(request: RelayRequest): RequestCriteria {
    const { affinityKey, metered, key, lastMessage, body } = request
    const home = (affinityKey !== '' && homes.get(affinityKey)) || null
    const unfit = new Set<number>()
    const criteria: RequestCriteria = {
      fits: (account) => !unfit.has(account.id) && maySpeak(request.format, platforms[account.platform]),
      unfit,
      model: request.model,
      nowMs: request.id.atMs,
      affinityId: home?.accountId,
      draw: affinityKey === '' ? parts.chance : drawOf(affinityKey),
      tried: new Set<number>(),
      returns: false,
      needsSlot: metered,
      home,
      waitsUntilMs: 0,
    }
    // The message is looked at only when there is an account to return to.
    if (
      home !== null &&
      metered &&
      lastMessage !== undefined &&
      accounts.group(key.groupId)?.returnsToPriority === true &&
      isDisplaced(accounts.ofGroup(key.groupId), criteria)
    )
      criteria.returns = beginsTurn(body.subarray(lastMessage.start, lastMessage.end))
    return criteria
  }

  /** The account served the request: its conversation stays there. */
  function remember({ affinityKey, body }: RelayRequest, { home }: RequestCriteria, { id }: Account): void {
    if (affinityKey === '' || id === home?.accountId) return
    homes.set(affinityKey, { accountId: id, foreignBefore: home === null ? 0 : countMessages(body) })
  }

  /** Of how many messages the reasoning has to be cut for this account; 0 where the group does not want it. */
  function foreignBefore({ key }: RelayRequest, { home }: RequestCriteria, { id }: Account): number {
    if (home === null || accounts.group(key.groupId)?.stripForeignReasoning !== true) return 0
    return home.accountId === id ? home.foreignBefore : Number.POSITIVE_INFINITY
  }

  return { criteriaOf, remember, foreignBefore }
}

/** Logins serve requests of their own format only; other accounts get a translation. */
export const maySpeak = (format: Format, platform: Platform | undefined): boolean =>
  platform !== undefined && (platform.format === format || platform.servesTranslated)
