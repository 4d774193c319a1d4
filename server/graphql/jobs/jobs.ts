import { z } from 'zod'
import { isOut, modelsCoolingDown } from '../../accounts/state/eligibility.ts'
import { conflict, notFound } from '../../verb-failure.ts'
import { accountAfter, ownAccount } from '../accounts/account-mutations.ts'
import { Account } from '../accounts/accounts.ts'
import { FailureCause, faultNamed } from '../accounts/failure-cause.ts'
import { builder } from '../builder.ts'
import { forwardArgs, forwardPage } from '../connections.ts'
import { addMutation } from '../mutation.ts'
import type { JobInfo, ProbeOutcome, ProbeRow } from '../server/parts.ts'
import { badInput, globalId, isRowKey } from '../values.ts'

const JobOutcome = builder.enumType('JobOutcome', {
  description: 'How a run of a job ended.',
  values: {
    DONE: { value: 'done', description: 'To its end, also when there was nothing to do.' },
    FAILED: { value: 'failed', description: 'With an error, or not in time.' },
  } as const,
})

const JobName = builder.enumType('JobName', {
  description: 'What the relay does by itself.',
  values: {
    PROBE: { value: 'probe', description: 'Asks accounts that are not ready whether they are back.' },
    RELEASE: { value: 'release', description: 'Ends cooldowns whose time is over.' },
    PRUNE: { value: 'prune', description: 'Deletes what is older than it is kept.' },
    DRIFT: { value: 'drift', description: 'Compares the sums of the ledger with its rollups.' },
    REFRESH: { value: 'refresh', description: 'Renews logins before they expire.' },
  } as const,
})

const RunCount = builder.objectRef<{ name: string; count: number }>('RunCount').implement({
  description: 'A number in what a run came to.',
  authScopes: { admin: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What was counted, in the words of `code`.' }),
    count: t.expose('count', { description: 'How many.', type: 'Count' }),
  }),
})

/** The code of a run or a probe; null where there is only a message. */
const codeOf = (code: string): string | null => (code === '' || faultNamed(code, '') ? null : code)
const named = 'Stable, for clients that say it in a language of their own; null where `message` alone tells.'

const LastRun = builder.objectRef<NonNullable<JobInfo['last']>>('JobRun').implement({
  description: 'One run of a job, in whichever process.',
  authScopes: { admin: true },
  fields: (t) => ({
    at: t.field({
      description: 'When it began.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(startedAtMs),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds.' }),
    outcome: t.field({ description: 'How it ended.', type: JobOutcome, resolve: ({ outcome }) => outcome as 'done' }),
    message: t.string({
      nullable: true,
      description: 'The error, or what was done, in English; null when there is nothing to say.',
      resolve: ({ message }) => message || null,
    }),
    code: t.string({ nullable: true, description: named, resolve: ({ code }) => codeOf(code) }),
    counts: t.field({
      type: [RunCount],
      description: 'The numbers of the message, by name.',
      resolve: ({ counts }) =>
        Object.entries(JSON.parse(counts) as Record<string, number>).map(([name, count]) => ({ name, count })),
    }),
  }),
})

const JobType = builder.objectRef<JobInfo>('Job').implement({
  description: 'Something the relay does by itself.',
  authScopes: { admin: true },
  fields: (t) => ({
    name: t.field({ type: JobName, description: 'What runJob takes.', resolve: ({ name }) => name as 'probe' }),
    everySeconds: t.int({
      description: 'The seconds between two checks whether something is due.',
      resolve: ({ everyMs }) => Math.ceil(everyMs / 1000),
    }),
    nextAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When its clock rings next in this process; nothing is done when nothing is due, or another process leads.',
      resolve: ({ nextAtMs }) => (nextAtMs === null ? null : new Date(nextAtMs)),
    }),
    lastRun: t.field({
      type: LastRun,
      nullable: true,
      description: 'In whichever process; null when there was nothing to do yet.',
      resolve: ({ last }) => last,
    }),
  }),
})

builder.queryField('jobs', (t) =>
  t.field({
    type: [JobType],
    nullable: true,
    description: 'What the relay does by itself.',
    authScopes: { admin: true },
    resolve: (_parent, _args, { parts }) => parts.jobs.list(),
  }),
)

const RunJobInput = builder.inputType('RunJobInput', {
  description: 'Which job.',
  fields: (t) => ({ name: t.field({ type: JobName, required: true, description: 'The name of the job.' }) }),
})

const RunJobSuccess = builder.objectRef<{ name: string }>('RunJobSuccess').implement({
  description: 'The job has run, or runs.',
  authScopes: { admin: true },
  fields: (t) => ({
    job: t.field({
      type: JobType,
      description: 'The job as it is now.',
      resolve: async ({ name }, _args, { parts }) => (await parts.jobs.list()).find((job) => job.name === name)!,
    }),
  }),
})

addMutation('runJob', {
  description: 'Runs a job now if something is due for it.',
  scope: 'admin',
  input: RunJobInput,
  check: z.object({ name: z.enum(['probe', 'release', 'prune', 'drift', 'refresh']) }),
  success: RunJobSuccess,
  failures: ['not_found', 'conflict'],
  locks: [],
  async run({ name }, { parts }, change) {
    if (!(await parts.jobs.list()).some((job) => job.name === name)) throw notFound('job')
    await change(async () => ({ answer: null, audit: { objectType: 'Job', objectId: 0, after: { name } } }))
    if (!(await parts.jobs.runNow(name))) throw conflict('The job runs already.')
    return { name }
  },
})

const Probe = builder.objectRef<ProbeRow>('Probe').implement({
  description: 'One check whether an account that is not ready, or a model that cools down there, serves again.',
  authScopes: { user: true },
  fields: (t) => ({
    at: t.field({
      description: 'When it began.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(Number(startedAtMs)),
    }),
    model: t.string({
      nullable: true,
      description: 'The model, or the family, whose rest was looked at; null: the account itself.',
      resolve: ({ model }) => model || null,
    }),
    ok: t.boolean({ description: 'It was back.', resolve: ({ outcome }) => outcome === 'done' }),
    status: t.int({
      nullable: true,
      description: "The upstream's status; null when no response came.",
      resolve: ({ status }) => status || null,
    }),
    message: t.exposeString('message', {
      description: 'The result in English; redacted, at most 191 characters.',
    }),
    code: t.string({ nullable: true, description: named, resolve: ({ code }) => codeOf(code) }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'When no usable answer came; null for what an upstream said itself.',
      resolve: ({ code, place }) => faultNamed(code, place),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds until the answer was read.' }),
    cost: t.expose('costNano', { type: 'NanoUsd', description: 'On no key: a row of its own in the ledger.' }),
  }),
})

const ProbeConnection = builder.connectionObject({ type: Probe, name: 'ProbeConnection' })

builder.objectField(Account, 'probes', (t) =>
  t.field({
    type: ProbeConnection,
    nullable: true,
    description: 'Recovery probes of the account and of its models, the newest first.',
    args: forwardArgs(t.arg),
    resolve({ id }, page, { parts }) {
      const after = page.after ?? undefined
      if (after !== undefined && !isRowKey(after)) throw badInput('`after` is not a cursor.')
      return forwardPage(
        page,
        (limit) => parts.jobs.probesOf(id, limit, after === undefined ? undefined : BigInt(after)),
        (row) => ({ cursor: String(row.id), node: row }),
      )
    },
  }),
)

const ProbeAccountSuccess = builder.objectRef<ProbeOutcome & { id: number }>('ProbeAccountSuccess').implement({
  description: 'The probe was made; `ok` says what it found.',
  authScopes: { user: true },
  fields: (t) => ({
    account: accountAfter(t),
    ok: t.exposeBoolean('ok', { description: 'The account, or the model there, is back.' }),
    status: t.int({
      nullable: true,
      description: "The upstream's status; null when no response came.",
      resolve: ({ status }) => status || null,
    }),
    latencyMs: t.expose('latencyMs', { description: 'Milliseconds until the answer was read.', type: 'Count' }),
    message: t.string({
      description: 'What came of it, in English; redacted, at most 191 characters.',
      resolve: ({ words }) => words.message,
    }),
    code: t.string({ nullable: true, description: named, resolve: ({ words }) => codeOf(words.code) }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'When no usable answer came; null for what an upstream said itself.',
      resolve: ({ words }) => faultNamed(words.code, words.place),
    }),
  }),
})

const ProbeAccountInput = builder.inputType('ProbeAccountInput', {
  description: 'What is probed.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The global id of the Account.' }),
    model: t.string({ description: 'A model as `state.models` names it; without it the account itself.' }),
  }),
})

addMutation('probeAccount', {
  description:
    'Looks now whether an account that is not ready, or a model that rests there, is back; no key pays for it, and it never makes a state worse.',
  scope: 'user',
  input: ProbeAccountInput,
  check: z.object({ id: globalId('Account'), model: z.string().max(191).nullish() }),
  success: ProbeAccountSuccess,
  failures: ['not_found', 'conflict'],
  locks: [],
  async run({ id, model }, { parts, viewer }, change) {
    await ownAccount(parts.database.reader, viewer, id)
    const account = parts.accounts.byId(id)
    if (!account) throw notFound('account')
    const rest = model ?? ''
    const { state } = account.live
    if (rest === '' ? !isOut(state, parts.now()) : !modelsCoolingDown(state, parts.now()).includes(rest))
      throw conflict(
        `The ${rest === '' ? 'account is ready' : 'model does not rest there'}: there is nothing to look for.`,
      )
    const outcome = await parts.jobs.probeNow(account, rest)
    const { ok, status } = outcome
    await change(async () => ({
      answer: null,
      audit: { objectType: 'Account', objectId: id, after: { ok, status, ...(rest !== '' && { model: rest }) } },
    }))
    return { ...outcome, id }
  },
})
