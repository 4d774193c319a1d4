import { z } from 'zod'
import { isEligible, returnsAtMs } from '../../accounts/state/eligibility.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import { statusLineOf } from '../../keys/status-line.ts'
import { ledgerKey, requestIdOf } from '../../request-ids.ts'
import { sumRejections } from '../../statistics/rejections.ts'
import type { Range } from '../../statistics/statistics.ts'
import { rangeOf } from '../statistics/range-input.ts'
import { type RangeTotals, totalsIn } from '../statistics/totals-type.ts'
import { badInput } from '../values.ts'
import { builder, type KeyHolderParts } from './builder.ts'
import { KeyLimit } from './key-limits.ts'
import { KeyRejection } from './key-rejection.ts'
import { KeyRequest, type KeyRequestView, viewOfRow } from './key-request.ts'

const KeyState = builder.enumType('KeyState', {
  description: 'Whether the relay accepts the key.',
  values: {
    ACTIVE: { value: 'active', description: 'It is accepted.' },
    DISABLED: { value: 'disabled', description: 'The key, or its owner, is disabled.' },
    EXPIRED: { value: 'expired', description: 'Its time is over.' },
  } as const,
})

const Pool = builder.objectRef<{ ready: boolean; nextReturnMs: number | null }>('Pool').implement({
  description: 'The upstream accounts that serve the key, all together.',
  fields: (t) => ({
    ready: t.exposeBoolean('ready', { description: 'Whether one of them can take a request now.' }),
    nextReturnAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the first of them returns; null when one is ready, or when nobody knows.',
      resolve: ({ nextReturnMs }) => (nextReturnMs === null ? null : new Date(nextReturnMs)),
    }),
  }),
})

function poolOf({ accounts, now }: KeyHolderParts, key: ApiKey): { ready: boolean; nextReturnMs: number | null } {
  const enabled = accounts.ofGroup(key.groupId).filter((account) => account.enabled && account.weight > 0)
  if (enabled.some(({ live }) => isEligible(live.state, '', now(), true))) return { ready: true, nextReturnMs: null }
  const returns = enabled.map(({ live }) => returnsAtMs(live.state, '')).filter((atMs) => atMs !== null)
  return { ready: false, nextReturnMs: returns.length === 0 ? null : Math.min(...returns) }
}

const Usage = builder.objectRef<RangeTotals>('Usage').implement({
  description: 'Sums over the requests of the key that began in a range and have ended.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Included.', resolve: ({ fromMs }) => new Date(fromMs) }),
    to: t.field({
      type: 'DateTime',
      description: 'Not included: as it was asked for, or `asOf` where that end has not come yet.',
      resolve: ({ toMs }) => new Date(toMs),
    }),
    asOf: t.field({ type: 'DateTime', description: 'When it was read.', resolve: ({ asOfMs }) => new Date(asOfMs) }),
    requests: t.expose('requests', { type: 'Count', description: 'That ended, however.' }),
    completed: t.field({
      type: 'Count',
      description: 'With a whole response.',
      resolve: ({ requests, failures }) => requests - failures,
    }),
    failed: t.field({
      type: 'Count',
      description: 'With an error, or broken off on our side.',
      resolve: ({ failures, cancelled }) => failures - cancelled,
    }),
    cancelled: t.expose('cancelled', { type: 'Count', description: 'The client left.' }),
    rejected: t.expose('rejected', {
      type: 'Count',
      description: 'Refused before any upstream was asked; not among `requests`. Counted by whole hours.',
    }),
    inputTokens: t.expose('inputTokens', { type: 'Count', description: 'Read anew.' }),
    outputTokens: t.expose('outputTokens', { type: 'Count', description: 'Written.' }),
    cacheReadTokens: t.expose('cacheReadTokens', { type: 'Count', description: 'Read from the cache.' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { type: 'Count', description: 'Written into the cache.' }),
    cost: t.expose('costNano', { type: 'NanoUsd', description: 'What the key is charged.' }),
  }),
})

const KeyRequestPage = builder
  .objectRef<{ nodes: KeyRequestView[]; endCursor: string | null; hasNextPage: boolean }>('KeyRequestPage')
  .implement({
    description: 'A page of settled requests.',
    fields: (t) => ({
      nodes: t.expose('nodes', { type: [KeyRequest], description: 'The newest first.' }),
      endCursor: t.exposeString('endCursor', {
        nullable: true,
        description: 'Give it as `after` for the next page; null when this one is empty.',
      }),
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether older ones follow.' }),
    }),
  })

const RangeInput = builder.inputType('RangeInput', {
  description: 'A range of time, at most three years.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', required: true, description: 'Included.' }),
    to: t.field({ type: 'DateTime', required: true, description: 'After `from`.' }),
  }),
})

const maxPage = 100

const MyKey = builder.objectRef<ApiKey>('MyKey').implement({
  description: 'The key that the request came with.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As its owner named it.' }),
    state: t.field({
      type: KeyState,
      description: 'Whether the relay accepts it.',
      resolve: ({ enabled, ownerEnabled, expiresAtMs }, _args, { parts }) =>
        !enabled || !ownerEnabled
          ? 'disabled'
          : expiresAtMs !== null && expiresAtMs <= parts.now()
            ? 'expired'
            : 'active',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From then on it is refused; null: never, or from its first use on (`validForDays`).',
      resolve: ({ expiresAtMs }) => (expiresAtMs === null ? null : new Date(expiresAtMs)),
    }),
    validForDays: t.exposeInt('validForDays', {
      nullable: true,
      description: 'It expires so many days after its first use, which is still to come; null: it does not.',
    }),
    models: t.stringList({
      description: 'Names, or patterns with *, of the models it may ask for; ["*"]: all.',
      resolve: ({ models }) => (models.patterns.length === 0 ? ['*'] : [...models.patterns]),
    }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Begin of its newest request that has ended; null: none.',
      async resolve({ id }, _args, { parts }) {
        const [row] = await parts.statistics.requests({ apiKeyIds: [id] }, 1)
        return row ? new Date(Number(row.startedAtMs)) : null
      },
    }),
    limits: t.field({
      type: [KeyLimit],
      description: 'Cost limits that it has to keep: its own, those of its owner and of its group. Empty: none.',
      resolve: (key, _args, { parts }) => parts.limitsOf(key),
    }),
    statusLine: t.string({
      description:
        'One English line about the limit of which the largest share is used, for the status line of a terminal.',
      resolve: async (key, _args, { parts }) => statusLineOf(await parts.limitsOf(key)),
    }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      nullable: true,
      description: 'Most requests in a minute; null: no limit.',
    }),
    tokensPerMinute: t.exposeInt('tokensPerMinute', {
      nullable: true,
      description: 'Most tokens of all classes in a minute; null: no limit.',
    }),
    concurrency: t.exposeInt('concurrency', {
      nullable: true,
      description: 'Most requests at once; null: no limit.',
    }),
    pool: t.field({
      type: Pool,
      description: 'Whether a request would be served now.',
      resolve: (key, _args, { parts }) => poolOf(parts, key),
    }),
    usage: t.field({
      type: Usage,
      description: 'What it used in a range.',
      args: { range: t.arg({ type: RangeInput, required: true, description: 'Of the begin of requests.' }) },
      async resolve({ id }, { range: given }, { parts }) {
        const range: Range = rangeOf(given)
        const asOfMs = parts.now()
        return totalsIn(await parts.statistics.usage.totals(range, { apiKeyIds: [id] }), range, asOfMs)
      },
    }),
    requests: t.field({
      type: KeyRequestPage,
      description: 'Its settled requests.',
      args: {
        first: t.arg.int({
          description: `How many, 1 to ${maxPage}.`,
          defaultValue: 20,
          validate: z.int().min(1).max(maxPage).nullish(),
        }),
        after: t.arg.string({ description: 'The `endCursor` of the page before.' }),
      },
      async resolve({ id }, { first, after }, { parts }) {
        const size = first ?? 20
        const key = after ? ledgerKey(after) : undefined
        if (key === null) throw badInput('`after` is not a cursor.')
        const rows = await parts.statistics.requests(
          { apiKeyIds: [id] },
          size + 1,
          key === undefined ? undefined : BigInt(key),
        )
        const page = rows.slice(0, size)
        const last = page.at(-1)
        return {
          nodes: page.map(viewOfRow),
          endCursor: last === undefined ? null : requestIdOf(last.id),
          hasNextPage: rows.length > size,
        }
      },
    }),
    rejections: t.field({
      type: [KeyRejection],
      description: 'Its requests that were refused, by reason, the most frequent first. Hours are counted as a whole.',
      args: { range: t.arg({ type: RangeInput, required: true, description: 'Of the refusal.' }) },
      resolve: ({ id }, { range }, { parts }) => sumRejections(parts.database, { apiKeyIds: [id], ...rangeOf(range) }),
    }),
  }),
})

builder.queryField('myKey', (t) =>
  t.field({ type: MyKey, description: 'The key that the request came with.', resolve: (_root, _args, { key }) => key }),
)
