import { graphql, type ResultOf } from './tada.ts'

const accountFields = graphql(`
  fragment AccountFields on Account {
    id name platform url authHeader priority weight concurrency models hasProxy enabled inFlight createdAt plan
    groups { id name enabled }
    owner { id username }
    modelMapping { from to }
    state { kind since until nextProbeAt reason failure { code place } models { model until reason nextProbeAt } }
    login { expiresAt renews refreshedAt refreshFailure }
    limitGauges { window status utilization resetAt at }
    today { requests failures tokens cost }
  }
`)

/** What live events change of an account. */
export const accountStateFields = graphql(`
  fragment AccountStateFields on Account {
    id name enabled inFlight
    state { kind since until nextProbeAt reason failure { code place } models { model until reason nextProbeAt } }
    limitGauges { window status utilization resetAt at }
  }
`)

export const accountsQuery = graphql(
  `
  query Accounts($first: Int, $after: String, $search: String, $groupId: ID) {
    list: accounts(first: $first, after: $after, search: $search, groupId: $groupId) {
      edges { node { ...AccountFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [accountFields],
)

export const createAccount = graphql(
  `
  mutation CreateAccount($input: CreateAccountInput!) {
    result: createAccount(input: $input) {
      __typename
      ... on CreateAccountSuccess { account { ...AccountFields } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
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
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`,
  [accountFields],
)

export const deleteAccount = graphql(`
  mutation DeleteAccount($id: ID!) {
    result: deleteAccount(id: $id) {
      __typename
      ... on DeleteAccountSuccess { ok }
      ... on Failure { message }
    }
  }
`)

export const testAccount = graphql(`
  mutation TestAccount($id: ID!, $model: String!) {
    result: testAccount(id: $id, model: $model) {
      __typename
      ... on TestAccountSuccess { ok latencyMs status message failure { code place } }
      ... on Failure { message }
    }
  }
`)

export const clearAccountState = graphql(
  `
  mutation ClearAccountState($id: ID!) {
    result: clearAccountState(id: $id) {
      __typename
      ... on ClearAccountStateSuccess { account { ...AccountFields } }
      ... on Failure { message }
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

export const probeNow = graphql(`
  mutation ProbeNow($id: ID!, $model: String) {
    result: probeNow(id: $id, model: $model) {
      __typename
      ... on ProbeNowSuccess { ok latencyMs status message code failure { code place } }
      ... on Failure { message }
    }
  }
`)

export const timelineQuery = graphql(
  `
  query Timeline($id: ID!, $after: String) {
    node(id: $id) {
      ... on Account {
        id
        probes(first: 5) { at model ok status durationMs message code failure { code place } cost }
        timeline(first: 20, after: $after) {
          edges { node { ...StepFields } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
`,
  [stepFields],
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

export const accountChanged = graphql(
  `
  subscription AccountChanged($after: String) {
    events: accountChanged(after: $after) {
      sequence
      gap { dropped }
      account {
        accountId name enabled inFlight
        limitGauges { window status utilization resetAt at }
        state { kind since until nextProbeAt reason failure { code place } models { model until reason nextProbeAt } }
        steps { ...StepFields }
      }
    }
  }
`,
  [stepFields],
)

export type Probe = Extract<NonNullable<ResultOf<typeof timelineQuery>['node']>, { probes: unknown }>['probes'][number]
export type AccountEvent = ResultOf<typeof accountChanged>['events'][number]
export type AccountStep = ResultOf<typeof stepFields>
export type Account = ResultOf<typeof accountFields>
export type AccountState = Account['state']
export type LimitGauge = Account['limitGauges'][number]
export type GaugePoint = Pick<LimitGauge, 'at' | 'utilization'>
