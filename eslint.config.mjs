import graphql from '@graphql-eslint/eslint-plugin'
import { defineConfig } from 'eslint/config'

/** Types that nobody reads or caches by an id, by what they are instead. Everything else needs one. */
const withoutId = {
  suffixes: [
    // Pages of a list, and its places.
    'Connection',
    'Edge',
    // What a mutation came to.
    'Success',
    'Failure',
    // Messages of a subscription: they have a cursor.
    'Events',
  ],
  types: [
    // Parts of one object, read with it.
    ['AccountLogin', 'AccountState', 'ApiKeySighting', 'Attempt', 'CostParts', 'FailureCause', 'FormatFlags'],
    ['LimitGauge', 'LimitGaugePoint', 'MaxUtilization', 'ModelCooldown', 'ModelMapping', 'Tokens'],
    ['CostLine', 'CostModifier', 'ExplainedAttempt', 'ExplainedUse', 'PeakHours', 'PriceTier'],
    // Rows that are only read in their list: they have a cursor there.
    ['AccountStep', 'JobRun', 'Probe', 'Rejection', 'RunCount'],
    // One of a kind, or with a name of its own.
    ['AccountPreset', 'BuiltInErrorRule', 'ClaudeAccounts', 'Deployment', 'Job', 'Session', 'Settings', 'Viewer'],
    // Sums, which are computed for their question.
    [
      'CostTotals',
      'FallbackPricedModel',
      'RejectionSummary',
      'RejectionsOfReason',
      'Totals',
      'Percentiles',
      'SessionModel',
      'SessionThread',
      'Usage',
      'UsageGrowth',
      'UsageRow',
    ],
    // Events, and what they carry.
    ['AccountChanged', 'CostTotalsDelta', 'CostTotalsSnapshot', 'Gap', 'RequestProgressed', 'RequestSettled'],
    ['RequestStarted', 'RequestsRejected', 'RunningRequests'],
    // Answers to one question, which are not kept.
    ['CostExplanation', 'ModelPrice', 'PriceImportEntry'],
    ['Classification', 'ErrorRuleTrialSample', 'FieldProblem', 'RouteCandidate', 'RouteCount', 'RouteDecision'],
    ['RouteTrace', 'SimulatedRoute'],
    // The Relay specification gives it none.
    'PageInfo',
  ].flat(),
}

/** The rules for schema.graphql alone; Biome and oxlint check the code. `npm run check:static` runs them. */
export default defineConfig([
  {
    files: ['schema.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: 'schema.graphql' } } },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      '@graphql-eslint/strict-id-in-types': ['error', { exceptions: withoutId }],
      // Lists of the ledger are read from the newest on: an argument that is always refused would promise too much.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
      '@graphql-eslint/relay-edge-types': [
        'error',
        {
          withEdgeSuffix: true,
          // Nodes of timelines, probes, runs and rejections are rows without an id.
          shouldImplementNode: false,
          // `nodes` beside `edges`, and short lists of values, have no pages.
          listTypeCanWrapOnlyEdgeType: false,
        },
      ],
      // It finds two fields: `requestId` is the name of the header `request-id`, and `username` is one word.
      '@graphql-eslint/no-typename-prefix': 'off',
    },
  },
])
