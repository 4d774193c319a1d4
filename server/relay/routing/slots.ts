// Concurrency slots: an account is chosen and its slot counted in one step, or the request waits in the queue.
import type { Accounts } from '../../accounts/accounts.ts'
import type { RunningRequest } from '../request/relay-request.ts'
import { createQueue, type QueueLimits } from './queue.ts'
import type { RequestCriteria } from './route-criteria.ts'
import type { Trace } from './route-trace.ts'
import { choose, waitsForSlot } from './schedule.ts'
import type { Slot } from './slot.ts'

export interface SlotsParts {
  accounts: Accounts
  queue: QueueLimits
  trace: Trace
  /** Its position in the queue, from 1; null when it left. */
  onPosition: (running: RunningRequest, position: number | null) => void
  now: () => number
}

/** Counted in this process: with several processes a limit is each one's own, which costs no round trip; the README says so. */
export function createSlots(parts: SlotsParts) {
  const { accounts, trace } = parts
  const membersFor = ({ request }: RunningRequest) => accounts.ofGroup(request.key.groupId)
  const queue = createQueue({
    limits: parts.queue,
    now: parts.now,
    take: (running, criteria) => takeNow(running, criteria, true),
    waitsForSlot: (running, criteria) => waitsForSlot(membersFor(running), criteria),
    onPosition: parts.onPosition,
  })

  function takeNow(running: RunningRequest, criteria: RequestCriteria, isWaiting: boolean): Slot | undefined {
    const { request } = running
    const members = membersFor(running)
    const account = choose(members, criteria)
    // While a request waits, only the choice that ends the wait is traced.
    if (account || !isWaiting) trace.record(request.id.text, request.key, members, criteria, account)
    if (!account) return undefined
    running.account = account
    if (!request.metered) return { account, free() {} }
    account.live.inFlight++
    let isTaken = true
    return {
      account,
      free() {
        if (!isTaken) return
        isTaken = false
        account.live.inFlight--
        // Others of its groups may wait for it too.
        if (account.concurrency !== null) queue.serve(accounts.byId(account.id)?.groupIds ?? [])
      },
    }
  }

  return {
    /** Undefined: no account can take the request now. */
    take(running: RunningRequest, criteria: RequestCriteria): Slot | undefined {
      // Nobody overtakes those in line, also in other groups, for an account that both may use.
      if (!queue.isEmpty()) queue.serve(membersFor(running).flatMap(({ groupIds }) => groupIds))
      return takeNow(running, criteria, false)
    },

    /** The same, waiting in line where a slot is all that is missing. */
    async await(running: RunningRequest, criteria: RequestCriteria): Promise<Slot | undefined> {
      return waitsForSlot(membersFor(running), criteria) ? queue.join(running, criteria) : undefined
    },

    /** Ends all waits: the process stops. */
    cutOff: queue.cutOff,
  }
}

export type Slots = ReturnType<typeof createSlots>
