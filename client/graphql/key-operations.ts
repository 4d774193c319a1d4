import { graphql, type ResultOf } from './tada.ts'

const keyFields = graphql(`
  fragment KeyFields on ApiKey {
    id name secretHint models dailyLimit weeklyLimit monthlyLimit totalLimit rollingLimit rollingHours
    requestsPerMinute tokensPerMinute concurrency validForDays allowedAddresses allowedClients spentToday spentTotal dayResetsAt expiresAt enabled
    previousSecretUntil createdAt lastUsedAt
    group { id name }
    owner { id username }
  }
`)

/** What live events change of a key. */
export const keySpendingFields = graphql(`
  fragment KeySpendingFields on ApiKey { id spentToday spentTotal lastUsedAt }
`)

export const keysQuery = graphql(
  `
  query ApiKeys(
    $first: Int, $after: String, $search: String, $groupIds: [ID!], $ownerIds: [ID!], $enabled: Boolean
  ) {
    list: apiKeys(
      first: $first, after: $after
      filter: { search: $search, groupIds: $groupIds, ownerIds: $ownerIds, enabled: $enabled }
    ) {
      edges { node { ...KeyFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [keyFields],
)

/** Keys by name, for a select. */
export const keyNamesQuery = graphql(`
  query ApiKeyNames($search: String) {
    list: apiKeys(first: 20, filter: { search: $search }) { edges { node { id name } } }
  }
`)

/** Where a key was used from, and what was refused of it. */
export const keyDetailQuery = graphql(`
  query ApiKeyDetail($id: ID!, $since: DateTime) {
    node(id: $id) {
      ... on ApiKey {
        id
        seen { kind value firstSeenAt lastSeenAt }
        rejections(since: $since) { requests reasons { reason requests lastAt message } }
      }
    }
  }
`)

export const createKey = graphql(
  `
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    result: createApiKey(input: $input) {
      __typename
      ... on CreateApiKeySuccess { secret apiKey { ...KeyFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [keyFields],
)

export const updateKey = graphql(
  `
  mutation UpdateApiKey($input: UpdateApiKeyInput!) {
    result: updateApiKey(input: $input) {
      __typename
      ... on UpdateApiKeySuccess { apiKey { ...KeyFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [keyFields],
)

export const rotateKey = graphql(
  `
  mutation RotateApiKey($input: RotateApiKeyInput!) {
    result: rotateApiKey(input: $input) {
      __typename
      ... on RotateApiKeySuccess { secret apiKey { ...KeyFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [keyFields],
)

export const deleteKey = graphql(`
  mutation DeleteApiKey($id: ID!) {
    result: deleteApiKey(input: { id: $id }) {
      __typename
      ... on DeleteApiKeySuccess { deletedId }
      ... on Failure { code values message }
    }
  }
`)

export type ApiKey = ResultOf<typeof keyFields>
