// Over 300 lines: every way a session begins, goes on and ends.
import { encodeGlobalID } from '@pothos/plugin-relay'
import { z } from 'zod'
import { signInRefused, type Tokens, type Viewer } from '../../identity/sessions.ts'
import { userFields } from '../../identity/user-input.ts'
import { conflict, inputFailure, VerbFailure } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import type { Context } from '../server/context.ts'
import { readSettings } from '../settings/settings.ts'
import { typedText } from '../values.ts'
import { User } from './users.ts'

const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'The person behind the access token, and how long it is good for.',
  authScopes: { signedIn: true },
  fields: (t) => ({
    user: t.prismaField({
      description: 'As stored.',
      type: User,
      resolve: (query, { userId }, _args, { parts }) =>
        parts.database.reader.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
    sessionExpiresAt: t.field({
      type: 'DateTime',
      description: 'When the access token ends; refresh it before.',
      resolve: ({ expiresAtMs }) => new Date(expiresAtMs),
    }),
  }),
})

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    nullable: true,
    description: 'Who is signed in; null when nobody is.',
    authScopes: { public: true },
    resolve: (_parent, _args, { viewer }) => viewer,
  }),
)

const Deployment = builder.objectRef<object>('Deployment').implement({
  description: 'What a page may know before anybody signs in.',
  authScopes: { public: true },
  fields: (t) => ({
    name: t.string({
      description: 'The setting systemName.',
      resolve: async (_parent, _args, { parts }) => (await readSettings(parts.database)).systemName,
    }),
    version: t.string({
      description: 'Of the program, such as 1.2.3.',
      resolve: (_parent, _args, { parts }) => parts.version,
    }),
    baseUrl: t.string({
      description: "Claude Code's ANTHROPIC_BASE_URL.",
      resolve: (_parent, _args, { parts }) => parts.baseUrl(),
    }),
    timeZone: t.string({
      description: 'IANA name of the zone whose midnight begins a day of limits and statistics, such as Asia/Shanghai.',
      resolve: (_parent, _args, { parts }) => parts.timeZone,
    }),
    needsSetup: t.boolean({
      description: 'True until an administrator exists.',
      resolve: (_parent, _args, { parts }) => parts.setup.isNeeded(),
    }),
  }),
})

builder.queryField('deployment', (t) =>
  t.field({
    type: Deployment,
    nullable: true,
    description: 'The deployment, as everybody may know it.',
    authScopes: { public: true },
    resolve: () => ({}),
  }),
)

/** Public, because the request of a sign-in began without a viewer. */
const Session = builder.objectRef<Tokens>('Session').implement({
  description: 'A session of a user; its refresh token is in an HttpOnly cookie.',
  authScopes: { public: true },
  fields: (t) => ({
    accessToken: t.exposeString('accessToken', {
      description: 'The token for `authorization: Bearer`; keep it in memory only.',
    }),
    expiresAt: t.field({
      description: 'When the access token expires; exchange the cookie before (refreshSession).',
      type: 'DateTime',
      resolve: ({ accessExpiresAtMs }) => new Date(accessExpiresAtMs),
    }),
    expiresInSeconds: t.int({
      description: 'The same counted from now, for clients whose clock is wrong.',
      resolve: ({ accessExpiresAtMs }, _args, { parts }) => Math.floor((accessExpiresAtMs - parts.now()) / 1000),
    }),
    user: t.prismaField({
      description: 'Who is signed in now.',
      type: User,
      resolve: (query, { userId }, _args, { parts }) =>
        parts.database.reader.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
  }),
})

const addSessionSuccess = (name: string) =>
  builder.objectRef<Tokens>(name).implement({
    description: 'Somebody is signed in.',
    authScopes: { public: true },
    fields: (t) => ({
      session: t.field({ type: Session, description: 'The session.', resolve: (tokens) => tokens }),
    }),
  })

/** Sets the refresh cookie and makes the user the viewer for the rest of the request. */
function signedIn(
  context: Context,
  tokens: Tokens,
  user: Pick<Viewer, 'role' | 'username' | 'mustChangePassword'>,
): Tokens {
  const { username, role, mustChangePassword } = user
  const maxAgeS = Math.floor((tokens.refreshExpiresAtMs - context.parts.now()) / 1000)
  context.setRefreshCookie({ value: tokens.refreshToken, maxAgeS })
  const { userId, sessionId, accessExpiresAtMs: expiresAtMs } = tokens
  context.viewer = { userId, sessionId, username, role, mustChangePassword, expiresAtMs }
  return tokens
}

const CompleteSetupInput = builder.inputType('CompleteSetupInput', {
  description: 'The first administrator.',
  fields: (t) => ({
    token: t.string({ description: 'Of a setup link, a day old at most; good once.', required: true }),
    username: t.string({
      description: 'It has 1 to 64 letters, digits, or . _ @ -, and is kept in small letters.',
      required: true,
    }),
    password: t.string({ description: 'It has 10 to 200 characters.', required: true }),
    email: t.string({ description: 'Absent: none.' }),
  }),
})

addMutation('completeSetup', {
  description: 'Makes the first administrator with the token of the setup link, and signs in.',
  scope: 'public',
  input: CompleteSetupInput,
  check: z.object({
    token: typedText,
    username: userFields.username,
    password: userFields.password,
    email: userFields.email.nullish(),
  }),
  success: addSessionSuccess('CompleteSetupSuccess'),
  failures: ['input', 'conflict'],
  locks: ['users'],
  async run({ token, password, username, email: mail }, context, change) {
    const { parts, actor } = context
    if (!parts.setup.isValid(token)) {
      throw inputFailure({ path: 'token', code: 'SETUP_LINK_OLD' })
    }
    if (!(await parts.setup.isNeeded())) throw alreadySetUp()
    const passwordHash = await parts.passwords.hash(password)
    const tokens = await change(async (tx) => {
      // Checked again: of two at the same time the second finds an administrator.
      if (!(await parts.setup.isNeeded(tx))) throw alreadySetUp()
      const fields = { username, email: mail ?? null, role: 'admin' as const, enabled: true }
      const objectId = await parts.users.create(tx, { ...fields, passwordHash })
      const answer = await parts.sessions.begin(tx, objectId, actor)
      return { answer, audit: { objectType: 'User', objectId, after: fields } }
    })
    return signedIn(context, tokens, { role: 'admin', username: username.toLowerCase(), mustChangePassword: false })
  },
})

const alreadySetUp = () => conflict('ALREADY_SET_UP')

const SignInInput = builder.inputType('SignInInput', {
  description: 'Name and password. Wrong tries are slowed down, by name and by address.',
  fields: (t) => ({
    username: t.string({ description: 'Capital and small letters are the same.', required: true }),
    password: t.string({ description: 'At most 200 characters.', required: true }),
  }),
})

/** Argon2 takes 19 MiB and a core for each; more sign-ins at once are refused. */
const maxPasswordChecks = 16

addMutation('signIn', {
  description: 'Signs in; the refresh token comes as an HttpOnly cookie.',
  scope: 'public',
  input: SignInInput,
  check: z.object({ username: typedText, password: typedText }),
  success: addSessionSuccess('SignInSuccess'),
  failures: ['input', 'sign_in'],
  locks: ['users'],
  async run({ username, password }, context, change) {
    const { parts, actor } = context
    if (parts.passwordChecks.running >= maxPasswordChecks) {
      throw new VerbFailure('sign_in', 'SIGN_IN_BUSY', { retryAfterS: 1 })
    }
    parts.passwordChecks.running++
    try {
      await parts.signInTries.begin(username, actor.clientIp)
      const found = await parts.users.findByName(parts.database.reader, username)
      const right = await parts.passwords.matches(found?.passwordHash ?? null, password)
      const answer = await change(async (tx) => {
        // Read again: meanwhile the user may have been disabled, or got another password.
        const user = await parts.users.findByName(tx, username)
        const accepted = right && user?.enabled === true && user.passwordHash === found?.passwordHash
        const audit = { objectType: 'User', objectId: user?.id ?? 0, after: { signedIn: accepted } }
        if (!accepted) return { answer: null, audit }
        await parts.signInTries.succeeded(tx, username, actor.clientIp)
        return { answer: { user, tokens: await parts.sessions.begin(tx, user.id, actor) }, audit }
      })
      if (answer === null) throw signInRefused()
      return signedIn(context, answer.tokens, answer.user)
    } finally {
      parts.passwordChecks.running--
    }
  },
})

addMutation('refreshSession', {
  description:
    'Exchanges the cookie for a new one and a new access token. A cookie that was used before ends the session.',
  scope: 'public',
  check: z.object({}),
  success: addSessionSuccess('RefreshSessionSuccess'),
  failures: ['sign_in'],
  locks: ['users'],
  async run(_args, context, change) {
    const { parts } = context
    const refreshToken = await parts.sessions.known(context.refreshToken)
    const audit = (objectId: number, after: object) => ({ objectType: 'Session', objectId, after: { ...after } })
    if (refreshToken === null) {
      context.setRefreshCookie(null)
      throw sessionOver()
    }
    const answer = await change<Refreshed>(async (tx) => {
      const refreshed = await parts.sessions.refresh(tx, refreshToken)
      if (refreshed === null) return { answer: null, audit: audit(0, { refused: true }) }
      if ('reused' in refreshed) {
        return { answer: refreshed, audit: audit(refreshed.reused, { reused: true, ended: true }) }
      }
      const { tokens } = refreshed
      const user = await tx.user.findUniqueOrThrow({ where: { id: tokens.userId } })
      return { answer: { tokens, user }, audit: audit(tokens.sessionId, { refreshed: true }) }
    })
    if (answer === null || 'reused' in answer) {
      if (answer) parts.sessions.ended({ sessionId: answer.reused })
      context.setRefreshCookie(null)
      throw sessionOver()
    }
    return signedIn(context, answer.tokens, answer.user)
  },
})

type Refreshed =
  | null
  | { reused: number }
  | { tokens: Tokens; user: Pick<Viewer, 'role' | 'username' | 'mustChangePassword'> }

const sessionOver = () => new VerbFailure('sign_in', 'SESSION_OVER')

const SignOutSuccess = builder.objectRef<{ sessionId: number | undefined }>('SignOutSuccess').implement({
  description: 'Nobody is signed in any more.',
  authScopes: { public: true },
  fields: (t) => ({
    endedSessionId: t.id({
      nullable: true,
      description: 'The id of the session that ended; null when there was none.',
      resolve: ({ sessionId }) => (sessionId === undefined ? null : encodeGlobalID('Session', sessionId)),
    }),
  }),
})

addMutation('signOut', {
  description: 'Ends the session, on every device that has its cookie. Fine when there is none.',
  scope: 'public',
  check: z.object({}),
  success: SignOutSuccess,
  failures: [],
  locks: ['users'],
  async run(_args, context, change) {
    const { parts, viewer } = context
    const refreshToken = await parts.sessions.known(context.refreshToken)
    const nothing = viewer === null && refreshToken === null
    const end: Parameters<typeof change<number[]>>[0] = async (tx) => {
      const byCookie = refreshToken === null ? null : await parts.sessions.ofRefreshToken(tx, refreshToken)
      const sessions = [...new Set([viewer?.sessionId, byCookie?.id])].filter((id) => id !== undefined)
      for (const id of sessions) await parts.sessions.end(tx, id)
      return { answer: sessions, audit: { objectType: 'Session', objectId: sessions[0] ?? 0, after: { ended: true } } }
    }
    const ended = nothing ? [] : await change(end)
    for (const sessionId of ended) parts.sessions.ended({ sessionId })
    context.setRefreshCookie(null)
    return { sessionId: ended[0] }
  },
})

const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'The password in use, as a proof, and another.',
  fields: (t) => ({
    currentPassword: t.string({ description: 'Counts as a try to sign in when it is wrong.', required: true }),
    newPassword: t.string({
      description: 'It has 10 to 200 characters and differs from the current one.',
      required: true,
    }),
  }),
})

const ChangePasswordSuccess = builder.objectRef<{ userId: number }>('ChangePasswordSuccess').implement({
  description: 'The password is changed.',
  authScopes: { public: true },
  fields: (t) => ({
    user: t.prismaField({
      type: User,
      description: 'Whose password it is.',
      resolve: (query, { userId }, _args, { parts }) =>
        parts.database.reader.user.findUniqueOrThrow({ ...query, where: { id: userId } }),
    }),
  }),
})

addMutation('changePassword', {
  description: 'Changes your own password; your other sessions end.',
  scope: 'signedIn',
  input: ChangePasswordInput,
  check: z.object({ currentPassword: typedText, newPassword: userFields.password }),
  success: ChangePasswordSuccess,
  failures: ['input', 'sign_in'],
  locks: ['users'],
  async run({ currentPassword: current, newPassword: next }, { parts, viewer, actor }, change) {
    const { userId, sessionId, username } = viewer!
    await parts.signInTries.begin(username, actor.clientIp)
    const { passwordHash: stored } = await parts.database.reader.user.findUniqueOrThrow({
      where: { id: userId },
      omit: { passwordHash: false },
    })
    if (!(await parts.passwords.matches(stored, current)))
      throw inputFailure({ path: 'currentPassword', code: 'WRONG' })
    if (current === next) throw inputFailure({ path: 'newPassword', code: 'PASSWORD_SAME' })
    const passwordHash = await parts.passwords.hash(next)
    await change(async (tx) => {
      // Meanwhile the user may have been disabled, or got another password.
      const proved = { id: userId, passwordHash: stored, enabled: true }
      if (!(await tx.user.findFirst({ where: proved }))) throw inputFailure({ path: 'currentPassword', code: 'WRONG' })
      await parts.signInTries.succeeded(tx, username, actor.clientIp)
      await parts.users.update(tx, userId, { passwordHash, mustChangePassword: false })
      await parts.sessions.endAllOf(tx, userId, sessionId)
      return { answer: null, audit: { objectType: 'User', objectId: userId, after: { password: 'set' } } }
    })
    parts.sessions.ended({ userId })
    return { userId }
  },
})
