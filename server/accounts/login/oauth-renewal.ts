import type { Database } from '../../store/database.ts'
import type { DurableFiles } from '../../store/durable-files.ts'
import type { Locks } from '../../store/locks/locks.ts'
import { type Seal, SealBroken } from '../../store/seal.ts'
import type { Account } from '../account.ts'
import type { Accounts } from '../accounts.ts'
import {
  openCredential,
  refreshed,
  type SealedCredential,
  sealCredential,
  type Tokens,
  withTokens,
} from '../credential.ts'
import type { Cause } from '../state/transitions.ts'
import type { RefreshResponse } from './oauth-responses.ts'

/** The outcome of a renewal. Reasons are for people. */
export type Renewal = { kind: 'renewed' } | { kind: 'refused' | 'failed'; reason: string }

/** The lock of a process that died is free after this; a process that lives prolongs it. */
const lockMs = 10_000
const firstPauseMs = 5_000
const maxPauseMs = 300_000
/** Renewals at a time, when many are due. */
const atOnce = 8
const patienceAtStopMs = 3_000
const maxReasonChars = 190

interface Pause {
  /** The access token that was to be renewed. */
  of: string
  untilMs: number
  lengthMs: number
  reason: string
}

/**
 * Renews the access tokens of logins: one refresh an account at a time, in all processes; a compare-and-set on the row's
 * version; nothing used before it is stored. The vendor takes a refresh token once, so its response is the only copy of the
 * login from that moment on: it is sealed into the data folder before anything else, and brought into the database from
 * there after a crash (`recover`). A process that dies during the request leaves the intent in the row, and the old
 * access token serves until it ends.
 */
export function createRenewals(parts: {
  database: Database
  seal: Seal
  accounts: Accounts
  locks: Locks
  kept: DurableFiles
  /** Asks the vendor, through the account's proxy. */
  refresh: (account: Account, refreshToken: string) => Promise<RefreshResponse>
  /** The row of the account's credential was changed. */
  onChanged: (accountId: number) => void
  now: () => number
  chance: () => number
  onError: (error: unknown, doing: string) => void
}) {
  const { database, seal, accounts, kept, now, onError } = parts
  const running = new Map<number, Promise<Renewal>>()
  /** After a failure, of the login that failed: another login of the account does not wait for it. Also in the row. */
  const pauses = new Map<number, Pause>()
  /** A stop has waited for these as long as it does. */
  const givenUp = new Set<Promise<Renewal>>()
  /** Logins are in the data folder only, because the database did not take them. */
  let again: NodeJS.Timeout | null = null

  /** An access token in place of `used`; resolves at once when somebody has renewed it since. Never rejects. */
  function renew({ id }: Account, used: string): Promise<Renewal> {
    const known = accounts.byId(id)
    if (known && known.secret !== used) return Promise.resolve({ kind: 'renewed' })
    let renewal = running.get(id)
    if (!renewal) {
      renewal = run(id, used).finally(() => running.delete(id))
      running.set(id, renewal)
    }
    return renewal
  }

  async function run(id: number, used: string): Promise<Renewal> {
    const pause = pauses.get(id)
    if (pause?.of === used && now() < pause.untilMs) return { kind: 'failed', reason: pause.reason }
    let renewal: Renewal
    try {
      renewal = await parts.locks.withLock(`login:${id}`, lockMs, () => refreshOnce(id, used))
    } catch (error) {
      onError(error, 'refreshing a login')
      const { reason } = pauseAfter(id, used, 'The refresh could not be begun or stored.', 0)
      renewal = { kind: 'failed', reason }
    }
    if (renewal.kind !== 'failed') pauses.delete(id)
    return renewal
  }

  function pauseAfter(id: number, used: string, reason: string, leastMs: number): Pause {
    const before = pauses.get(id)
    const lengthMs = Math.min(before?.of === used ? before.lengthMs * 2 : firstPauseMs, maxPauseMs)
    const untilMs = Math.round(now() + Math.max(lengthMs * (1 + parts.chance() / 5), leastMs))
    const pause = { of: used, untilMs, lengthMs, reason: reason.slice(0, maxReasonChars) }
    pauses.set(id, pause)
    return pause
  }

  async function refreshOnce(id: number, used: string): Promise<Renewal> {
    // Read under the lock: another process may have renewed it while this one waited.
    const row = await database.client.accountCredential.findUnique({ where: { accountId: id } })
    const account = accounts.byId(id)
    if (!row || !account) return { kind: 'refused', reason: 'The account is gone.' }
    const credential = openCredential(seal, row.sealed, id)
    if (credential.secret !== used) {
      accounts.applyLogin(id, row.version, tokensOf(credential, row.expiresAtMs))
      return { kind: 'renewed' }
    }
    const { refreshToken } = credential
    if (refreshToken === undefined) return { kind: 'refused', reason: 'Its access token cannot be renewed.' }
    if (row.refreshFailure !== '') return { kind: 'refused', reason: row.refreshFailure }
    const retryAtMs = Number(row.refreshRetryAtMs ?? 0)
    if (now() < retryAtMs) {
      // Another process has tried, or this one before it was started again.
      const lengthMs = pauses.get(id)?.lengthMs ?? firstPauseMs
      pauses.set(id, { of: used, untilMs: retryAtMs, lengthMs, reason: row.refreshError })
      return { kind: 'failed', reason: row.refreshError }
    }

    const noted = await database.client.accountCredential.updateMany({
      where: { accountId: id, version: row.version },
      data: { refreshStartedAtMs: BigInt(now()) },
    })
    if (noted.count !== 1) return refreshOnce(id, used)
    const response = await parts.refresh(account, refreshToken)
    if (response.kind === 'failed') {
      const { untilMs, reason } = pauseAfter(id, used, response.reason, response.retryAfterMs ?? 0)
      await database.client.accountCredential.updateMany({
        where: { accountId: id, version: row.version },
        data: { refreshError: reason, refreshRetryAtMs: BigInt(untilMs) },
      })
      parts.onChanged(id)
      return { kind: 'failed', reason }
    }
    if (response.kind === 'refused') {
      return refused(id, used, row.version, response.reason, row.refreshStartedAtMs !== null)
    }
    const text = JSON.stringify({ from: refreshToken, tokens: response.tokens })
    await kept
      .put(String(id), seal.seal(text, keptAad(id)))
      .catch((error: unknown) => onError(error, 'keeping a login'))
    try {
      await save(id, refreshToken, response.tokens)
    } catch (error) {
      onError(error, 'storing a refreshed login')
      accounts.applyLogin(id, row.version + 1, response.tokens)
      recoverSoon()
    }
    return { kind: 'renewed' }
  }

  async function refused(id: number, used: string, version: number, reason: string, cutOff: boolean): Promise<Renewal> {
    // Read again: after a race with another program for the same token the loser is refused although the login is good.
    const row = await database.client.accountCredential.findUnique({ where: { accountId: id } })
    if (row && row.version !== version) {
      const credential = openCredential(seal, row.sealed, id)
      if (credential.secret !== used) {
        accounts.applyLogin(id, row.version, tokensOf(credential, row.expiresAtMs))
        return { kind: 'renewed' }
      }
    }
    const why = cutOff ? `${reason} The refresh before it was cut off.` : reason
    await database.client.accountCredential.updateMany({
      where: { accountId: id, version },
      data: { ...refreshed, refreshFailure: why.slice(0, maxReasonChars) },
    })
    accounts.refreshIsOver(id)
    parts.onChanged(id)
    return { kind: 'refused', reason: why }
  }

  /** Stores the login that replaces `from`; one that a person gave meanwhile stays. */
  async function save(id: number, from: string, tokens: Tokens): Promise<void> {
    const stored = await database.locked(['accounts'], async (tx) => {
      const row = await tx.accountCredential.findUnique({ where: { accountId: id } })
      if (!row) return null
      const credential = openCredential(seal, row.sealed, id)
      if (credential.refreshToken !== from) {
        return { version: row.version, tokens: tokensOf(credential, row.expiresAtMs) }
      }
      const { count } = await tx.accountCredential.updateMany({
        where: { accountId: id, version: row.version },
        data: {
          sealed: sealCredential(seal, withTokens(credential, tokens), id),
          version: row.version + 1,
          expiresAtMs: tokens.expiresAtMs === null ? null : BigInt(tokens.expiresAtMs),
          refreshedAtMs: BigInt(now()),
          ...refreshed,
        },
      })
      if (count !== 1) throw new Error('a credential changed while its lock was held')
      return { version: row.version + 1, tokens }
    })
    if (stored) {
      accounts.applyLogin(id, stored.version, stored.tokens)
      const account = accounts.byId(id)
      if (account?.live.state.kind === 'reauth_required') accounts.report(account, { kind: 'cleared' }, byItself)
      parts.onChanged(id)
    }
    await kept.remove(String(id))
  }

  /** Brings logins into the database that a crash, or a database that was away, left in the data folder. */
  async function recover(): Promise<void> {
    for (const { name, text } of await kept.all()) {
      const id = Number(name)
      try {
        const { from, tokens } = JSON.parse(seal.open(text, keptAad(id))) as { from: string; tokens: Tokens }
        await save(id, from, tokens)
      } catch (error) {
        onError(error, 'recovering a refreshed login')
        if (!(error instanceof SealBroken)) recoverSoon()
      }
    }
  }

  function recoverSoon(): void {
    again ??= setTimeout(() => {
      again = null
      recover().catch((error: unknown) => onError(error, 'recovering refreshed logins'))
    }, firstPauseMs)
  }

  return {
    renew,
    recover,

    /** Renews what ends soon, whatever state its account is in; a login that has ended for good is reported. Returns how many were due. */
    async refreshDue(atMs: number): Promise<number> {
      const due = [...accounts.all()].filter((account) => account.enabled && account.dueAtMs <= atMs)
      for (let i = 0; i < due.length; i += atOnce) {
        await Promise.all(due.slice(i, i + atOnce).map((account) => renew(account, account.secret)))
      }
      for (const account of accounts.all()) {
        const isOver = account.enabled && account.expiresAtMs <= atMs && account.dueAtMs === Number.POSITIVE_INFINITY
        if (isOver && account.live.state.kind !== 'reauth_required') {
          accounts.report(account, { kind: 'login_needed', reason: 'The login has ended.' }, byItself)
        }
      }
      return due.length
    },

    /** True when refreshDue has something to do. */
    isDue(atMs: number): boolean {
      for (const { enabled, dueAtMs, expiresAtMs } of accounts.all()) {
        if (enabled && Math.min(dueAtMs, expiresAtMs) <= atMs) return true
      }
      return false
    },

    /**
     * Waits a little for refreshes under way: what the vendor has sent must reach the disk. It may be called again for those
     * that requests began meanwhile.
     */
    async close(): Promise<void> {
      if (again) clearTimeout(again)
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceAtStopMs)
      })
      const waited = [...running.values()].filter((renewal) => !givenUp.has(renewal))
      await Promise.race([Promise.allSettled(waited), patience])
      clearTimeout(timer)
      for (const renewal of waited) givenUp.add(renewal)
    },
  }
}

/** No request caused it, but the clock or a start. */
const byItself: Cause = { by: 'time', requestId: '', evidence: null }

export type Renewals = ReturnType<typeof createRenewals>

const keptAad = (id: number): string => `kept-login:${id}`

function tokensOf(credential: SealedCredential, expiresAtMs: bigint | null): Tokens {
  return {
    accessToken: credential.secret,
    refreshToken: credential.refreshToken ?? null,
    expiresAtMs: expiresAtMs === null ? null : Number(expiresAtMs),
  }
}
