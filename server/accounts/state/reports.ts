import { randomUUID } from 'node:crypto'
import type { Tx } from '../../store/database.ts'
import type { Events, Json } from '../../store/events.ts'
import type { Account } from '../account.ts'
import { reduceState } from './reduce.ts'
import type { AccountEvent, StatePolicy } from './state.ts'
import { stateText, storedState } from './state-text.ts'
import { type Cause, type Transition, transitionsOf } from './transitions.ts'

/** Topic; message: what happened to an account, for the processes that did not see it. */
export const accountReported = 'accounts.reported'

interface Report {
  from: string
  id: number
  event: AccountEvent
  atMs: number
  chance: number
}

export interface ReportParts {
  byId: (id: number) => Account | undefined
  all: () => Iterable<Account>
  events: Events
  now: () => number
  chance: () => number
  policy?: StatePolicy | undefined
  /** Writes the account's state as it is now, with the steps of its timeline; off the caller's path. */
  store: (account: Account, steps: readonly Transition[]) => void
  /** Writes steps of the timeline in a transaction. */
  writeIn: (tx: Tx, accountId: number, steps: readonly Transition[]) => Promise<void>
  /** When the first probe of a cooldown is due that has just begun; null: none is. */
  firstProbeMs?: ((account: Account, model: string) => number | null) | undefined
  /** A failure was counted, and the account does not cool down yet. */
  onFailure?: ((account: Account, reason: string) => void) | undefined
  /** An account cools down, is back, or has a probe planned: called in one of all processes. `steps` is empty for a plan. */
  onTransition?: ((account: Account, steps: readonly Transition[]) => void) | undefined
}

/** What happens to accounts: reduced into the state here, and the same way in every other process. */
export function createReports(parts: ReportParts) {
  const { events, now, chance, policy } = parts
  const self = randomUUID()

  function report(account: Account, event: AccountEvent, cause: Cause): void {
    const steps = change(account, event, cause)?.map((step) => planned(account, step, cause)) ?? null
    if (event.kind === 'failed' && steps?.length === 0) parts.onFailure?.(account, event.reason)
    // What is only counted is no step, and is not stored.
    if (steps === null || (steps.length === 0 && event.kind !== 'probe_planned')) return
    parts.store(account, steps)
    parts.onTransition?.(account, steps)
  }

  /** A cooldown has its first probe planned from its first step on, not only after the next run of the probe job. */
  function planned(account: Account, step: Transition, cause: Cause): Transition {
    if (step.to === 'ready' || step.nextProbeAtMs !== null) return step
    const { model } = step
    const atMs = parts.firstProbeMs?.(account, model) ?? null
    if (atMs === null) return step
    change(account, { kind: 'probe_planned', atMs, ...(model !== '' && { model }) }, cause)
    return { ...step, nextProbeAtMs: atMs }
  }

  /** The steps that the event made, here and everywhere; null: it changed nothing. */
  function change(account: Account, event: AccountEvent, cause: Cause): Transition[] | null {
    const before = account.live.state
    const atMs = now()
    const draw = chance()
    const after = reduceState(before, event, atMs, draw, policy)
    if (after === before) return null
    account.live.state = after
    const message: Report = { from: self, id: account.id, event, atMs, chance: draw }
    events.publish(accountReported, message as unknown as Json)
    return transitionsOf(before, after, event, cause, atMs)
  }

  return {
    /** Reduces what happened into the account's state; a change is published at once and stored off the caller's path. */
    report,

    /**
     * Lifts every automatic state, of the account and of its models, and writes the steps of the timeline, all in the caller's
     * transaction; afterwards `cleared`.
     */
    async clearState(tx: Tx, id: number, cause: Cause): Promise<void> {
      const row = await tx.account.findUniqueOrThrow({ where: { id } })
      const before = parts.byId(id)?.live.state ?? storedState(row.state)
      const after = reduceState(before, { kind: 'cleared' }, now(), 0, policy)
      await tx.account.update({ where: { id }, data: { state: stateText(after) } })
      await parts.writeIn(tx, id, transitionsOf(before, after, { kind: 'cleared' }, cause, now()))
    },

    /** Brings a clearing that is in the database into the memory of every process. */
    cleared(id: number, cause: Cause): void {
      const account = parts.byId(id)
      const steps = account && change(account, { kind: 'cleared' }, cause)
      if (!steps) return
      // Written behind states that may still be on their way to the row.
      parts.store(account, [])
      parts.onTransition?.(account, steps)
    },

    /** What another process reported. */
    applyReported(message: Json): void {
      const { from, id, event, atMs, chance: draw } = message as unknown as Report
      const account = parts.byId(id)
      if (from === self || !account) return
      account.live.state = reduceState(account.live.state, event, atMs, draw, policy)
    },

    /** Plans the next probe of the account, or of one of its models; null: none. */
    probeAt(account: Account, atMs: number | null, model = ''): void {
      report(account, { kind: 'probe_planned', atMs, ...(model !== '' && { model }) }, unasked('probe'))
    },

    /** Ends the cooldowns whose time is over, so that their end is published when it comes and not with the next request. */
    releaseDue(): void {
      for (const account of parts.all()) report(account, { kind: 'elapsed' }, unasked('time'))
    },
  }
}

const unasked = (by: Cause['by']): Cause => ({ by, requestId: '', evidence: null })
