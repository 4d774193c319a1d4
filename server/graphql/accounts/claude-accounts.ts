import { z } from 'zod'
import type { BegunLogin } from '../../accounts/login/oauth-login.ts'
import { type ClaudeSwitch, readClaudeSwitch, writeClaudeSwitch } from '../../accounts/platform-switch.ts'
import { conflict, inputFailure } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { User } from '../identity/users.ts'
import { addMutation } from '../mutation.ts'

/** protocol: the vendor's terms for Claude Code (code.claude.com/docs/en/legal-and-compliance). */
const notice =
  'The terms of Claude subscriptions (Free, Pro, Max) do not let anybody route the requests of other people through them. ' +
  "Use this platform only for subscriptions of your own and for yourself; for a team, use accounts with API keys. The vendor's " +
  'terms decide, and they change. This part of the relay was verified against an emulation of the vendor, not against the vendor.'

const ClaudeAccounts = builder.objectRef<ClaudeSwitch>('ClaudeAccounts').implement({
  description: 'Whether accounts of the platform CLAUDE take part.',
  authScopes: { user: true },
  fields: (t) => ({
    enabled: t.exposeBoolean('enabled', {
      description: 'Off: no account of the platform gets requests, and none can be added.',
    }),
    notice: t.string({ description: 'What has to be acknowledged to turn them on.', resolve: () => notice }),
    acknowledgedBy: t.field({
      description: 'For administrators: who turned them on last; null: nobody did.',
      type: User,
      nullable: true,
      authScopes: { admin: true },
      resolve: ({ acknowledgedBy }, _args, { batches }) => (acknowledgedBy === 0 ? null : batches.user(acknowledgedBy)),
    }),
    acknowledgedAt: t.field({
      description: 'For administrators: when that was; null: never.',
      type: 'DateTime',
      nullable: true,
      authScopes: { admin: true },
      resolve: ({ acknowledgedAtMs }) => (acknowledgedAtMs === 0 ? null : new Date(acknowledgedAtMs)),
    }),
  }),
})

builder.queryField('claudeAccounts', (t) =>
  t.field({
    type: ClaudeAccounts,
    nullable: true,
    description: 'Whether accounts of the platform CLAUDE take part, and what has to be acknowledged for that.',
    authScopes: { user: true },
    resolve: (_parent, _args, { parts }) => readClaudeSwitch(parts.database.reader),
  }),
)

const UpdateClaudeAccountsSuccess = builder
  .objectRef<{ claudeAccounts: ClaudeSwitch }>('UpdateClaudeAccountsSuccess')
  .implement({
    description: 'The switch as it is now.',
    authScopes: { admin: true },
    fields: (t) => ({
      claudeAccounts: t.expose('claudeAccounts', {
        description: 'With who acknowledged the notice.',
        type: ClaudeAccounts,
      }),
    }),
  })

const UpdateClaudeAccountsInput = builder.inputType('UpdateClaudeAccountsInput', {
  description: 'The switch of the platform CLAUDE.',
  fields: (t) => ({
    enabled: t.boolean({ required: true, description: 'False: no account of the platform gets requests.' }),
    acknowledged: t.boolean({ description: 'True: you have read the notice. It is needed to turn them on.' }),
  }),
})

addMutation('updateClaudeAccounts', {
  description: 'Turns accounts of the platform CLAUDE on or off, for the whole deployment and at once.',
  scope: 'admin',
  input: UpdateClaudeAccountsInput,
  check: z.object({ enabled: z.boolean(), acknowledged: z.boolean().nullish() }),
  success: UpdateClaudeAccountsSuccess,
  failures: ['input'],
  locks: ['accounts', 'settings'],
  async run({ enabled, acknowledged }, { parts, actor }, change) {
    if (enabled && acknowledged !== true) {
      throw inputFailure({ path: 'acknowledged', code: 'NOTICE_UNREAD' })
    }
    const claudeAccounts = await change(async (tx) => {
      const before = await readClaudeSwitch(tx)
      const after = enabled
        ? { enabled, acknowledgedBy: actor.userId, acknowledgedAtMs: parts.now() }
        : { ...before, enabled }
      await writeClaudeSwitch(tx, after)
      return {
        answer: after,
        audit: {
          objectType: 'Setting',
          objectId: 0,
          before: { claudeAccounts: before.enabled },
          after: { claudeAccounts: enabled, ...(enabled && { acknowledged: notice }) },
        },
      }
    })
    await parts.changed('account')
    return { claudeAccounts }
  },
})

const BeginClaudeLoginSuccess = builder.objectRef<BegunLogin>('BeginClaudeLoginSuccess').implement({
  description: 'A sign-in page of the vendor, for one person and one login.',
  authScopes: { user: true },
  fields: (t) => ({
    url: t.exposeString('url', { description: 'To be opened by the person who owns the subscription.' }),
    state: t.exposeString('state', { description: 'What stands behind the # of the code that belongs to this page.' }),
    expiresAt: t.field({
      description: 'Ten minutes from now: then the code of this page is refused.',
      type: 'DateTime',
      resolve: ({ expiresAtMs }) => new Date(expiresAtMs),
    }),
  }),
})

addMutation('beginClaudeLogin', {
  description:
    'Begins the login of a Claude subscription; its code goes into createAccount or updateAccount, as `login`.',
  scope: 'user',
  check: z.object({}),
  success: BeginClaudeLoginSuccess,
  failures: ['conflict'],
  locks: ['account-logins'],
  run: (_args, { parts, actor }, change) =>
    change(async (tx) => {
      if (!(await readClaudeSwitch(tx)).enabled) throw conflict('CLAUDE_ACCOUNTS_OFF')
      const answer = await parts.logins.begin(tx, actor.userId)
      return { answer, audit: { objectType: 'Account', objectId: 0, after: { expiresAtMs: answer.expiresAtMs } } }
    }),
})
