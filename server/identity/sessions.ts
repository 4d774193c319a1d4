import { createHmac, randomBytes } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import type { Database, Tx } from '../store/database.ts'
import type { Events } from '../store/events.ts'
import type { Seal } from '../store/seal.ts'
import { VerbFailure } from '../verb-failure.ts'

/** Topic of sessions that were ended before they expired. Message: SessionsEnded. */
export const sessionsEnded = 'sessions.ended'
/** One session, or with `userId` all sessions of a user (disabled, another role, another password). */
export type SessionsEnded = { sessionId: number } | { userId: number }

export interface SessionTimes {
  accessMs: number
  refreshMs: number
  /** A used refresh token may come again within this time: then two tabs refreshed at once, and it is no theft. */
  graceMs: number
}

const defaultTimes: SessionTimes = { accessMs: 15 * 60_000, refreshMs: 30 * 24 * 3_600_000, graceMs: 10_000 }

/** The signed-in user, as in the database now. */
export interface Viewer {
  userId: number
  sessionId: number
  username: string
  role: 'admin' | 'user'
  /** Signed in with a password of `admin reset`: may only choose a new one. */
  mustChangePassword: boolean
  /** When the access token ends, epoch milliseconds. */
  expiresAtMs: number
}

export interface Tokens {
  sessionId: number
  userId: number
  accessToken: string
  accessExpiresAtMs: number
  refreshToken: string
  refreshExpiresAtMs: number
}

const issuer = 'claude-code-relay'

/** Sessions: short-lived access tokens (JWT, HS256), and refresh tokens that change with each use and are stored only as HMAC. */
export function createSessions(parts: {
  database: Database
  seal: Seal
  events: Events
  now: () => number
  times?: SessionTimes
}) {
  const { database, seal, events, now } = parts
  const times = parts.times ?? defaultTimes
  const signingKey = seal.derive('sessions')
  const chainKey = seal.derive('refresh tokens')
  /** The token that follows: always the same one, so that two uses of a token do not make two chains. */
  const nextOf = (refreshToken: string): string =>
    createHmac('sha256', chainKey).update(refreshToken).digest('base64url')

  /** The newest token of a chain: the one that was not used. */
  async function newestAfter(tx: Tx, refreshToken: string): Promise<string> {
    const next = nextOf(refreshToken)
    const row = await tx.refreshToken.findUnique({ where: { tokenHmac: digest(next) } })
    return row === null || row.usedAt === null ? next : newestAfter(tx, next)
  }

  async function issue(tx: Tx, session: { id: number; userId: number }, refreshToken: string): Promise<Tokens> {
    const nowMs = now()
    const refreshExpiresAtMs = nowMs + times.refreshMs
    const expiresAt = new Date(refreshExpiresAtMs)
    const tokenHmac = digest(refreshToken)
    await tx.refreshToken.upsert({
      where: { tokenHmac },
      create: { tokenHmac, sessionId: session.id, expiresAt },
      update: { expiresAt },
    })
    await tx.session.update({ where: { id: session.id }, data: { expiresAt } })
    // JWT has whole seconds. Rounded down, so that no time that we give is later than the token's own.
    const accessExpiresAtMs = Math.floor((nowMs + times.accessMs) / 1000) * 1000
    const accessToken = await new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(issuer)
      .setSubject(String(session.userId))
      .setIssuedAt(Math.floor(nowMs / 1000))
      .setExpirationTime(accessExpiresAtMs / 1000)
      .sign(signingKey)
    return {
      sessionId: session.id,
      userId: session.userId,
      accessToken,
      accessExpiresAtMs,
      refreshToken,
      refreshExpiresAtMs,
    }
  }

  const digest = (token: string): string => seal.hmac(`refresh:${token}`)

  return {
    /** Begins a session for a user whose password was right, and deletes sessions that ended long ago. */
    async begin(tx: Tx, userId: number, from: { clientIp: string; userAgent: string }): Promise<Tokens> {
      await tx.session.deleteMany({ where: { expiresAt: { lt: new Date(now()) } } })
      const session = await tx.session.create({
        data: {
          userId,
          createdAt: new Date(now()),
          expiresAt: new Date(now() + times.refreshMs),
          clientIp: from.clientIp.slice(0, 64),
          userAgent: from.userAgent.slice(0, 191),
        },
      })
      return issue(tx, session, randomBytes(32).toString('base64url'))
    },

    /**
     * Exchanges a refresh token for new tokens. A token that was used before ends the session with all its tokens, because two
     * have it and one of them is a thief; within the grace it leads to the newest token of its chain. Returns null for a token that is not valid; `reused` names the session that was ended.
     */
    async refresh(
      tx: Tx,
      refreshToken: string,
    ): Promise<{ tokens: Tokens } | { reused: number; userId: number } | null> {
      const row = await tx.refreshToken.findUnique({
        where: { tokenHmac: digest(refreshToken) },
        include: { session: { include: { user: true } } },
      })
      if (!row || row.expiresAt.getTime() <= now()) return null
      const { session } = row
      const { user } = session
      if (session.revokedAt !== null || !user.enabled || user.deletedMark !== 0) return null
      if (row.usedAt !== null && now() - row.usedAt.getTime() > times.graceMs) {
        await tx.session.update({ where: { id: session.id }, data: { revokedAt: new Date(now()) } })
        return { reused: session.id, userId: user.id }
      }
      if (row.usedAt === null) {
        await tx.refreshToken.update({ where: { tokenHmac: row.tokenHmac }, data: { usedAt: new Date(now()) } })
      }
      return { tokens: await issue(tx, session, await newestAfter(tx, refreshToken)) }
    },

    /** The token, if it was ever issued, else null: for an invented one no lock is taken and no audit row is written. */
    async known(refreshToken: string | null): Promise<string | null> {
      if (refreshToken === null) return null
      const where = { tokenHmac: digest(refreshToken) }
      return (await database.reader.refreshToken.findUnique({ where })) && refreshToken
    },

    /** The session of a refresh token, whether used or not; null when it has ended. */
    async ofRefreshToken(tx: Tx, refreshToken: string): Promise<{ id: number; userId: number } | null> {
      const row = await tx.refreshToken.findUnique({
        where: { tokenHmac: digest(refreshToken) },
        include: { session: true },
      })
      return row?.session.revokedAt === null ? { id: row.session.id, userId: row.session.userId } : null
    },

    async end(tx: Tx, sessionId: number): Promise<void> {
      await tx.session.updateMany({ where: { id: sessionId, revokedAt: null }, data: { revokedAt: new Date(now()) } })
    },

    /** Ends all sessions of a user except `except`. */
    async endAllOf(tx: Tx, userId: number, except?: number): Promise<void> {
      await tx.session.updateMany({
        where: { userId, revokedAt: null, ...(except !== undefined && { NOT: { id: except } }) },
        data: { revokedAt: new Date(now()) },
      })
    },

    /** The viewer of an access token; null when it is expired or forged, its session has ended or its user is disabled. Reads one row. */
    async viewerOf(accessToken: string): Promise<Viewer | null> {
      const claims = await claimsOf(accessToken)
      if (claims === null) return null
      const session = await database.reader.session.findFirst({
        where: { id: claims.sessionId, userId: claims.userId, revokedAt: null },
        include: { user: true },
      })
      if (!session?.user.enabled || session.user.deletedMark !== 0) return null
      const { username, role, mustChangePassword } = session.user
      return { ...claims, username, role, mustChangePassword }
    },

    /** Of these sessions, those that have not ended, with the role of their user. */
    async standing(ids: readonly number[]): Promise<Map<number, Viewer['role']>> {
      const found = await database.reader.session.findMany({
        where: { id: { in: [...ids] }, revokedAt: null, user: { enabled: true, deletedMark: 0 } },
        select: { id: true, user: { select: { role: true } } },
      })
      return new Map(found.map(({ id, user }) => [id, user.role]))
    },

    /** Informs every process. Call it after the commit. */
    ended: (message: SessionsEnded) => events.publish(sessionsEnded, message),
  }

  async function claimsOf(token: string) {
    try {
      const { payload } = await jwtVerify<{ sid: number }>(token, signingKey, {
        algorithms: ['HS256'],
        issuer,
        currentDate: new Date(now()),
        requiredClaims: ['sub', 'sid', 'exp'],
      })
      return { userId: Number(payload.sub), sessionId: payload.sid, expiresAtMs: Number(payload.exp) * 1000 }
    } catch {
      return null
    }
  }
}

export type Sessions = ReturnType<typeof createSessions>

/** The same failure for a wrong name, a wrong password and a disabled user, so that it reveals none of them. */
export const signInRefused = (): VerbFailure => new VerbFailure('sign_in', 'CREDENTIALS_WRONG')
