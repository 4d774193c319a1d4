import { type FailureCount, readFailures } from '../../statistics/failures.ts'
import { ruleProblems } from '../../upstreams/rules/rule-checks.ts'
import type { RecentFailure, TriedFailure, TriedSample } from '../../upstreams/rules/rule-trial.ts'
import { inputFailure } from '../../verb-failure.ts'
import { Account, Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import { AttemptOutcome } from '../requests/attempt-type.ts'
import type { Context } from '../server/context.ts'
import { TestErrorRuleInput, testRuleCheck } from './rule-input.ts'
import { Classification } from './rule-types.ts'

const hourMs = 3_600_000
/** Kinds of failures in the response, those that the rule matches first. */
const maxShown = 100

const RuleMatch = builder.enumType('ErrorRuleMatch', {
  description: 'Whether a rule matches failures of one kind.',
  values: {
    YES: { value: 'yes', description: 'It fits all of them.' },
    MAYBE: {
      value: 'maybe',
      description: 'Status, type and code fit. A text or headers decide, and those are not kept: try a sample.',
    },
    NO: { value: 'no', description: 'It fits none of them.' },
  } as const,
})

const accountsOf = async (ids: readonly number[], { batches }: Context) =>
  (await Promise.all(ids.map((id) => batches.account(id)))).filter((row) => row !== undefined)

const Tried = builder.objectRef<TriedFailure>('ErrorRuleTrialFailure').implement({
  description: 'Failed attempts of one kind in the ledger, and how each rule set classifies them.',
  authScopes: { admin: true },
  fields: (t) => ({
    platform: t.field({
      description: 'Of the accounts that answered so.',
      type: Platform,
      resolve: ({ platform }) => platform,
    }),
    status: t.string({
      description: 'A status, or `event`.',
      resolve: ({ httpStatus }) => (httpStatus === 200 ? 'event' : String(httpStatus)),
    }),
    errorType: t.string({
      nullable: true,
      description: 'The type as attempts show it; null for none.',
      resolve: ({ errorType }) => errorType || null,
    }),
    code: t.string({
      nullable: true,
      description: 'The identifier beside the type; null for none.',
      resolve: ({ errorCode }) => errorCode || null,
    }),
    outcome: t.field({
      description: 'How it was classified then.',
      type: AttemptOutcome,
      resolve: ({ decided }) => decided,
    }),
    attempts: t.expose('attempts', { description: 'How many.', type: 'Count' }),
    lastAt: t.field({
      description: 'When the newest of them ended.',
      type: 'DateTime',
      resolve: ({ lastAtMs }) => new Date(lastAtMs),
    }),
    accounts: t.field({
      description: 'Those that answered so and are there still.',
      type: [Account],
      resolve: ({ accountIds }, _args, context) => accountsOf(accountIds, context),
    }),
    match: t.field({ description: 'Whether the rule fits them.', type: RuleMatch, resolve: ({ match }) => match }),
    today: t.field({
      type: [Classification],
      description: 'What decides now; more than one where a text or headers tell which.',
      resolve: ({ today }) => today,
    }),
    withRule: t.field({
      description: 'What would decide if the rule were there.',
      type: [Classification],
      resolve: ({ withRule }) => withRule,
    }),
  }),
})

const Sample = builder.objectRef<TriedSample>('ErrorRuleTrialSample').implement({
  description: 'What was found in the sample, without its text.',
  authScopes: { admin: true },
  fields: (t) => ({
    errorType: t.string({
      nullable: true,
      description: 'The type that was read from the sample; null for none.',
      resolve: ({ errorType }) => errorType || null,
    }),
    code: t.string({
      nullable: true,
      description: 'The identifier that was read from the sample; null for none.',
      resolve: ({ code }) => code || null,
    }),
    matches: t.exposeBoolean('matches', { description: 'Whether the rule fits.' }),
    today: t.field({ description: 'What decides now.', type: Classification, resolve: ({ today }) => today }),
    withRule: t.field({
      description: 'What would decide if the rule were there.',
      type: Classification,
      resolve: ({ withRule }) => withRule,
    }),
  }),
})

interface Trial {
  sinceMs: number
  attempts: number
  failures: TriedFailure[]
  touched: { attempts: number; accountIds: number[] }
  sample: TriedSample | null
}

const TestErrorRuleSuccess = builder.objectRef<Trial>('TestErrorRuleSuccess').implement({
  description: 'What the rule would have changed.',
  authScopes: { admin: true },
  fields: (t) => ({
    since: t.field({
      description: 'Failed attempts from then on were looked at.',
      type: 'DateTime',
      resolve: ({ sinceMs }) => new Date(sinceMs),
    }),
    attempts: t.expose('attempts', { type: 'Count', description: 'Failed attempts that were looked at.' }),
    failures: t.field({
      description: 'Those that the rule fits first, at most 100 kinds.',
      type: [Tried],
      resolve: ({ failures }) => failures,
    }),
    touchedAttempts: t.field({
      type: 'Count',
      description: 'Attempts after which an account would have rested, or counted a failure, because of the rule.',
      resolve: ({ touched }) => touched.attempts,
    }),
    touchedAccounts: t.field({
      description: 'The accounts of those attempts that are there still.',
      type: [Account],
      resolve: ({ touched }, _args, context) => accountsOf(touched.accountIds, context),
    }),
    sample: t.field({
      description: 'It is null when none was given.',
      type: Sample,
      nullable: true,
      resolve: ({ sample }) => sample,
    }),
  }),
})

addMutation('testErrorRule', {
  description:
    'Runs a rule that is not saved over the failed attempts of the last hours, and over a sample. Changes nothing. Texts of ' +
    'errors are not stored, for they quote prompts: a rule with a text is tried on a sample.',
  scope: 'admin',
  input: TestErrorRuleInput,
  check: testRuleCheck,
  success: TestErrorRuleSuccess,
  failures: ['input'],
  locks: [],
  async run({ id, hours, sample, ...fields }, { parts }, change) {
    const { bench, rules, database, now } = parts
    const draft = { ...fields, enabled: true }
    const problems = ruleProblems(draft)
    if (rules.all().some((rule) => rule.name === draft.name && rule.id !== id)) {
      problems.push({ path: 'name', code: 'TAKEN' })
    }
    if (problems.length > 0) throw inputFailure(...problems)
    const sinceMs = now() - hours * hourMs
    const { failures, touched } = bench.tryFailures(draft, id, groupByKind(await readFailures(database, sinceMs)))
    const platform = draft.platform ?? 'console'
    const tried = sample ? bench.trySample(draft, id, { ...sample, platform }, now()) : null
    await change(async () => ({
      answer: null,
      // Without the sample: it may quote prompts.
      audit: { objectType: 'ErrorRule', objectId: id ?? 0, after: { ...fields, hours } },
    }))
    const order = { yes: 0, maybe: 1, no: 2 }
    return {
      sinceMs,
      attempts: failures.reduce((sum, { attempts }) => sum + attempts, 0),
      failures: failures
        .sort((one, other) => order[one.match] - order[other.match] || other.attempts - one.attempts)
        .slice(0, maxShown),
      touched,
      sample: tried,
    }
  },
})

/** Adds up the counts of all accounts by kind of failure. */
function groupByKind(counts: readonly FailureCount[]): RecentFailure[] {
  const found = new Map<string, RecentFailure & { accountIds: number[] }>()
  for (const { accountId, platform, outcome, httpStatus, errorType, errorCode, attempts, lastAtMs } of counts) {
    const key = [platform, outcome, httpStatus, errorType, errorCode].join(' ')
    const known = found.get(key)
    if (known) {
      known.attempts += attempts
      known.lastAtMs = Math.max(known.lastAtMs, lastAtMs)
      known.accountIds.push(accountId)
    } else {
      const fields = { decided: outcome, httpStatus, errorType, errorCode, attempts, lastAtMs }
      found.set(key, { ...fields, platform: platform as RecentFailure['platform'], accountIds: [accountId] })
    }
  }
  return [...found.values()]
}
