import type { Account as StoredAccount } from '../../generated/sqlite/client.ts'
import { ledgerKey } from '../../request-ids.ts'
import type { StoredAttempt } from '../../statistics/statistics.ts'
import { Account } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import type { Context } from '../server/context.ts'
import type { RouteDecision, RouteReason } from '../server/parts.ts'
import { idNumber } from '../values.ts'
import { visibleKeys } from '../visible.ts'
import { Attempt } from './attempt-type.ts'
import { storedRequest } from './request-view.ts'

const reasons = {
  CHOSEN: { value: 'chosen', description: 'The request went there.' },
  DISABLED: { value: 'disabled', description: 'Switched off, or without weight.' },
  MODEL_NOT_ALLOWED: { value: 'model_not_allowed', description: 'Its list of models leaves this one out.' },
  ALREADY_TRIED: { value: 'already_tried', description: 'It was tried before, for the same request.' },
  AT_MAX_UTILIZATION: {
    value: 'at_max_utilization',
    description: 'A window of its limits is used up as far as its owner allows: it takes no new sessions.',
  },
  NOT_READY: { value: 'not_ready', description: 'Its state keeps it out, for this model or all.' },
  AT_CONCURRENCY_LIMIT: { value: 'at_concurrency_limit', description: 'As many requests as it may have at once.' },
  SESSION_ELSEWHERE: { value: 'session_elsewhere', description: 'The conversation stays with another.' },
  LOWER_PRIORITY: { value: 'lower_priority', description: 'Others have a smaller priority number.' },
  NOT_DRAWN: { value: 'not_drawn', description: 'Another of its priority was drawn.' },
  FORMAT_UNFIT: {
    value: 'format_unfit',
    description: 'Its format cannot express the request, or its login serves no translated requests.',
  },
} as const satisfies { [Name in Uppercase<RouteReason>]: { value: Lowercase<Name>; description: string } }

const RouteReasonType = builder.enumType('RouteReason', {
  description: 'What became of an account in a choice.',
  values: reasons,
})

interface Candidate {
  account: StoredAccount
  reason: RouteReason
  untilMs: number | null
}

const RouteCandidate = builder.objectRef<Candidate>('RouteCandidate').implement({
  description: 'An account, and what became of it in a choice.',
  authScopes: { user: true },
  fields: (t) => ({
    account: t.field({
      description: 'As it is now, not as it was then.',
      type: Account,
      resolve: ({ account }) => account,
    }),
    reason: t.field({
      description: 'Why it was or was not chosen.',
      type: RouteReasonType,
      resolve: ({ reason }) => reason,
    }),
    until: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'With NOT_READY: when it returns by itself; null when a person must act.',
      resolve: ({ untilMs }) => (untilMs === null ? null : new Date(untilMs)),
    }),
  }),
})

const RouteCount = builder.objectRef<{ reason: RouteReason; count: number }>('RouteCount').implement({
  description: 'How many accounts had the same become of them.',
  authScopes: { user: true },
  fields: (t) => ({
    reason: t.field({ description: 'What became of them.', type: RouteReasonType, resolve: ({ reason }) => reason }),
    count: t.exposeInt('count', { description: 'Accounts.' }),
  }),
})

const RouteDecisionType = builder.objectRef<RouteDecision>('RouteDecision').implement({
  description: 'One choice of an account.',
  authScopes: { user: true },
  fields: (t) => ({
    at: t.field({ description: 'When it was made.', type: 'DateTime', resolve: ({ atMs }) => new Date(atMs) }),
    model: t.exposeString('model', { description: 'As requested.' }),
    candidates: t.field({
      type: [RouteCandidate],
      description:
        'Accounts of the group that you can see. Where a conversation stayed, the others were not looked at.',
      resolve: async ({ candidates }, _args, { batches }) => {
        const accounts = await Promise.all(candidates.map(({ accountId }) => batches.account(accountId)))
        return candidates.flatMap(({ reason, untilMs }, index) => {
          const account = accounts[index]
          return account ? [{ account, reason, untilMs }] : []
        })
      },
    }),
    counts: t.field({
      type: [RouteCount],
      description: 'All candidates by what became of them, also those that you cannot see.',
      resolve: ({ candidates }) => {
        const counts = new Map<RouteReason, number>()
        for (const { reason } of candidates) counts.set(reason, (counts.get(reason) ?? 0) + 1)
        return [...counts].map(([reason, count]) => ({ reason, count }))
      },
    }),
  }),
})

interface RouteTrace {
  requestId: string
  decisions: RouteDecision[]
  attempts: StoredAttempt[]
}

const RouteTraceType = builder.objectRef<RouteTrace>('RouteTrace').implement({
  description: 'Which accounts a request could have gone to, and where it went.',
  authScopes: { user: true },
  fields: (t) => ({
    requestId: t.exposeString('requestId', { description: 'As asked for.' }),
    decisions: t.field({
      type: [RouteDecisionType],
      description: 'Kept in memory for the latest requests of each process; empty for others.',
      resolve: ({ decisions }) => decisions,
    }),
    attempts: t.field({
      type: [Attempt],
      description: 'From the ledger, once the request has ended.',
      resolve: ({ attempts }) => attempts,
    }),
  }),
})

builder.queryField('routeTrace', (t) =>
  t.field({
    type: RouteTraceType,
    nullable: true,
    description: 'Why a request went where it went; null for requests that are not yours to see.',
    authScopes: { user: true },
    args: { requestId: t.arg.string({ required: true, description: 'The whole of it: req_….' }) },
    async resolve(_parent, { requestId }, context) {
      const key = ledgerKey(requestId)
      if (key === null) return null
      const { parts, batches } = context
      const decisions = parts.routes.traceOf(requestId)
      const row = await storedRequest(requestId, context)
      if (!row && !canReadRunning(decisions[0], context)) return null
      return { requestId, decisions, attempts: row ? ((await batches.attempts(BigInt(key))) ?? []) : [] }
    },
  }),
)

/** Who may read the trace of a request that is not in the ledger yet: administrators and its key's owner. */
function canReadRunning(decision: RouteDecision | undefined, { parts, viewer }: Context): boolean {
  if (!decision || !viewer) return false
  return viewer.role === 'admin' || parts.keys.byId(decision.apiKeyId)?.userId === viewer.userId
}

const KeyProblem = builder.enumType('KeyProblem', {
  description: 'Why an API key would be refused before any account is chosen.',
  values: {
    KEY_DISABLED: { description: 'The key or its owner is disabled.' },
    KEY_EXPIRED: { description: 'The key has expired.' },
    MODEL_NOT_ALLOWED: { description: 'The key may not ask for this model.' },
  },
})

const SimulatedRoute = builder
  .objectRef<{ keyProblem: typeof KeyProblem.$inferType | null; decision: RouteDecision | null }>('SimulatedRoute')
  .implement({
    description: 'Where a request would go now. Nothing is sent, nothing is held.',
    authScopes: { user: true },
    fields: (t) => ({
      keyProblem: t.field({
        type: KeyProblem,
        nullable: true,
        description: 'Why the key itself would be refused; null when it would be accepted.',
        resolve: ({ keyProblem }) => keyProblem,
      }),
      decision: t.field({
        type: RouteDecisionType,
        nullable: true,
        description: 'What a new conversation would find now; null when the key is refused.',
        resolve: ({ decision }) => decision,
      }),
    }),
  })

builder.queryField('simulateRoute', (t) =>
  t.field({
    type: SimulatedRoute,
    nullable: true,
    description: 'The choice for a model and a key, without a request; null for keys that are not yours to see.',
    authScopes: { user: true },
    args: {
      model: t.arg.string({ required: true, description: 'As a client would ask for it.' }),
      apiKeyId: t.arg.id({ required: true, description: 'Whose group and models count.' }),
    },
    async resolve(_parent, { model, apiKeyId }, { parts, viewer }) {
      const id = idNumber(apiKeyId, 'ApiKey')
      const row = await parts.database.reader.apiKey.findFirst({
        where: { AND: [visibleKeys(viewer), { id, deletedMark: 0 }] },
      })
      const key = row && parts.keys.byId(id)
      if (!key) return null
      const keyProblem: typeof KeyProblem.$inferType | null =
        !key.enabled || !key.ownerEnabled
          ? 'KEY_DISABLED'
          : key.expiresAtMs !== null && key.expiresAtMs <= parts.now()
            ? 'KEY_EXPIRED'
            : key.models.allows(model)
              ? null
              : 'MODEL_NOT_ALLOWED'
      return { keyProblem, decision: keyProblem === null ? parts.routes.simulate(key, model) : null }
    },
  }),
)
