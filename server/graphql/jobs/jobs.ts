import { z } from 'zod'
import { conflict, notFound } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { forwardArgs, forwardPage, spanFields, spanOf } from '../connections.ts'
import { addMutation } from '../mutation.ts'
import type { JobInfo, JobRun } from '../server/parts.ts'
import { rowKey } from '../values.ts'
import { RunCode, runCodeDescription, runCodeOf } from './run-code.ts'

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
    RERATE: {
      value: 'rerate',
      description: 'Goes on with pricing settled requests anew, where somebody started that.',
    },
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

const JobRunType = builder.objectRef<JobRun>('JobRun').implement({
  description: 'One run of a job, in whichever process.',
  authScopes: { admin: true },
  fields: (t) => ({
    at: t.field({
      description: 'When it began.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(Number(startedAtMs)),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds.' }),
    outcome: t.field({ description: 'How it ended.', type: JobOutcome, resolve: ({ outcome }) => outcome as 'done' }),
    message: t.string({
      nullable: true,
      description: 'The error, or what was done, in English; null when there is nothing to say.',
      resolve: ({ message }) => message || null,
    }),
    code: t.field({
      type: RunCode,
      nullable: true,
      description: runCodeDescription,
      resolve: ({ code }) => runCodeOf(code),
    }),
    counts: t.field({
      type: [RunCount],
      description: 'The numbers of the message, by name.',
      resolve: ({ counts }) =>
        Object.entries(JSON.parse(counts) as Record<string, number>).map(([name, count]) => ({ name, count })),
    }),
  }),
})

const JobRunFilter = builder.inputType('JobRunFilter', {
  description: 'Every condition that is given must hold.',
  fields: (t) => spanFields(t, 'Runs that began'),
})

const JobRunConnection = builder.connectionObject({ type: JobRunType, name: 'JobRunConnection' })

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
        'When its clock rings next in the process that runs the jobs of all; nothing is done when nothing is due. null until that is known.',
      resolve: ({ nextAtMs }) => (nextAtMs === null ? null : new Date(nextAtMs)),
    }),
    lastRun: t.field({
      type: JobRunType,
      nullable: true,
      description: 'In whichever process; null when there was nothing to do yet.',
      resolve: ({ last }) => last,
    }),
    runs: t.field({
      type: JobRunConnection,
      nullable: true,
      description: 'Its runs of the last 30 days, in whichever process, the newest first.',
      args: { ...forwardArgs(t.arg), filter: t.arg({ type: JobRunFilter, description: 'Without it all of them.' }) },
      resolve({ name }, { filter, ...page }, { batches }) {
        const before = rowKey(page.after)
        const span = spanOf(filter)
        return forwardPage(
          page,
          async (limit) => (await batches.runs({ of: name, limit, before, ...span })) ?? [],
          (row) => ({ cursor: String(row.id), node: row }),
        )
      },
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
  check: z.object({ name: z.enum(['probe', 'release', 'prune', 'drift', 'refresh', 'rerate']) }),
  success: RunJobSuccess,
  failures: ['not_found', 'conflict'],
  locks: [],
  async run({ name }, { parts }, change) {
    if (!(await parts.jobs.list()).some((job) => job.name === name)) throw notFound('job')
    await change(async () => ({ answer: null, audit: { objectType: 'Job', objectId: 0, after: { name } } }))
    if (!(await parts.jobs.runNow(name))) throw conflict('JOB_RUNNING')
    return { name }
  },
})
