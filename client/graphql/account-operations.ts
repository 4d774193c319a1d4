import { graphql, type ResultOf } from './tada.ts'

/** How it did in the last day. */
const healthFields = graphql(`
  fragment HealthFields on Account {
    id isTested successRate
    lastError { startedAt modelSent httpStatus errorType errorCode failure { code place } }
  }
`)

/** What an upstream of an OpenAI format takes. */
const flagFields = graphql(`
  fragment FlagFields on FormatFlags {
    maxTokensField maxTokensCap systemRole echoReasoning strictAlternation images pdf streamOptions forcedToolChoice
    efforts omit
  }
`)

const accountFields = graphql(
  `
  fragment AccountFields on Account {
    id name platform url authHeader priority weight concurrencyLimit models hasProxy enabled approved inFlight createdAt plan
    connectTimeoutSeconds firstByteTimeoutSeconds idleTimeoutSeconds extraHeaderNames
    maxUtilization { window share }
    formatFlags { ...FlagFields }
    groups { id name enabled }
    owner { id username }
    modelMapping { from to }
    state { name since until nextProbeAt reason failure { code place } models { model until reason nextProbeAt } }
    login { expiresAt renews refreshedAt refreshFailure refreshError nextRefreshAt }
    limitGauges { window status utilization resetAt at }
    usageToday { requests failures tokens cost }
    ...HealthFields
  }
`,
  [flagFields, healthFields],
)

/** What the first settled request of an account changes. */
export const testedFields = graphql(`
  fragment TestedFields on Account { id isTested }
`)

/** What live events change of an account. */
const accountStateFields = graphql(`
  fragment AccountStateFields on Account {
    id name enabled inFlight
    state { name since until nextProbeAt reason failure { code place } models { model until reason nextProbeAt } }
    limitGauges { window status utilization resetAt at }
  }
`)

export const accountsQuery = graphql(
  `
  query Accounts(
    $first: Int, $after: String, $search: String, $groupIds: [ID!], $ownerIds: [ID!]
    $platforms: [Platform!], $states: [AccountStateName!], $enabled: Boolean
  ) {
    list: accounts(
      first: $first, after: $after
      filter: {
        search: $search, groupIds: $groupIds, ownerIds: $ownerIds, platforms: $platforms, states: $states, enabled: $enabled
      }
    ) {
      edges { node { ...AccountFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [accountFields],
)

/** What accounts of known vendors look like. */
export const presetsQuery = graphql(
  `
  query AccountPresets {
    accountPresets {
      name label platform url authHeader isLocal
      modelMapping { from to }
      formatFlags { ...FlagFields }
    }
  }
`,
  [flagFields],
)

export const createAccount = graphql(
  `
  mutation CreateAccount($input: CreateAccountInput!) {
    result: createAccount(input: $input) {
      __typename
      ... on CreateAccountSuccess { account { ...AccountFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [accountFields],
)

export const updateAccount = graphql(
  `
  mutation UpdateAccount($input: UpdateAccountInput!) {
    result: updateAccount(input: $input) {
      __typename
      ... on UpdateAccountSuccess { account { ...AccountFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [accountFields],
)

export const deleteAccount = graphql(`
  mutation DeleteAccount($id: ID!) {
    result: deleteAccount(input: { id: $id }) {
      __typename
      ... on DeleteAccountSuccess { deletedId }
      ... on Failure { code values message }
    }
  }
`)

export const testAccount = graphql(
  `
  mutation TestAccount($id: ID!, $model: String!) {
    result: testAccount(input: { id: $id, model: $model }) {
      __typename
      ... on TestAccountSuccess { ok latencyMs status message failure { code place } account { ...HealthFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [healthFields],
)

/** Only administrators may. */
export const approveAccount = graphql(
  `
  mutation ApproveAccount($id: ID!, $approved: Boolean!) {
    result: approveAccount(input: { id: $id, approved: $approved }) {
      __typename
      ... on ApproveAccountSuccess { account { ...AccountFields } }
      ... on Failure { code values message }
    }
  }
`,
  [accountFields],
)

export const clearAccountState = graphql(
  `
  mutation ClearAccountState($id: ID!) {
    result: clearAccountState(input: { id: $id }) {
      __typename
      ... on ClearAccountStateSuccess { account { ...AccountFields } }
      ... on Failure { code values message }
    }
  }
`,
  [accountFields],
)

const stepFields = graphql(`
  fragment StepFields on AccountStep {
    at from to model until nextProbeAt reason cause requestId httpStatus errorType errorCode errorMessage
    failure { code place }
  }
`)

export const probeAccount = graphql(`
  mutation ProbeAccount($id: ID!, $model: String) {
    result: probeAccount(input: { id: $id, model: $model }) {
      __typename
      ... on ProbeAccountSuccess { probe { ok message code failure { code place } } }
      ... on Failure { code values message }
    }
  }
`)

export const timelineQuery = graphql(
  `
  query Timeline($id: ID!, $after: String) {
    node(id: $id) {
      ... on Account {
        ...HealthFields
        probes(first: 5) { nodes { at model ok status durationMs message code failure { code place } cost } }
        timeline(first: 20, after: $after) {
          edges { node { ...StepFields } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
`,
  [healthFields, stepFields],
)

export const gaugeHistoryQuery = graphql(`
  query GaugeHistory($id: ID!, $window: String!, $from: DateTime!, $to: DateTime!) {
    node(id: $id) {
      ... on Account {
        id
        limitGaugeHistory(window: $window, from: $from, to: $to) { at utilization }
      }
    }
  }
`)

export const accountEvents = graphql(
  `
  subscription AccountEvents($after: String) {
    feed: accountEvents(after: $after) {
      cursor
      gap { dropped }
      events {
        __typename
        ... on AccountChanged {
          account { ...AccountStateFields }
          steps { ...StepFields }
        }
      }
    }
  }
`,
  [accountStateFields, stepFields],
)

type WithTimeline = Extract<NonNullable<ResultOf<typeof timelineQuery>['node']>, { probes: unknown }>
export type Probe = NonNullable<WithTimeline['probes']>['nodes'][number]
export type AccountStep = ResultOf<typeof stepFields>
export type AccountPreset = NonNullable<ResultOf<typeof presetsQuery>['accountPresets']>[number]
export type Account = ResultOf<typeof accountFields>
export type AccountState = Account['state']
export type LimitGauge = Account['limitGauges'][number]
export type GaugePoint = Pick<LimitGauge, 'at' | 'utilization'>
