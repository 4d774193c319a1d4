import { graphql, type ResultOf } from './tada.ts'

const rejectionFields = graphql(`
  fragment RejectionFields on Rejection {
    reason requests lastAt message secretHash
    apiKey { id name }
    group { id name }
    user { id username }
  }
`)

/** Requests that were refused before any upstream was asked, by hour, key and reason. */
export const rejectionsQuery = graphql(
  `
  query Rejections(
    $first: Int, $after: String, $reasons: [RejectionReason!], $apiKeyIds: [ID!], $groupIds: [ID!], $ownerIds: [ID!]
    $from: DateTime, $to: DateTime
  ) {
    list: rejections(
      first: $first, after: $after
      filter: {
        reasons: $reasons, apiKeyIds: $apiKeyIds, groupIds: $groupIds, ownerIds: $ownerIds, from: $from, to: $to
      }
    ) {
      edges { node { ...RejectionFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [rejectionFields],
)

/** The same, summed up by reason. */
export const rejectionSummaryQuery = graphql(`
  query RejectionSummary(
    $reasons: [RejectionReason!], $apiKeyIds: [ID!], $groupIds: [ID!], $ownerIds: [ID!], $from: DateTime, $to: DateTime
  ) {
    rejections(
      first: 1
      filter: {
        reasons: $reasons, apiKeyIds: $apiKeyIds, groupIds: $groupIds, ownerIds: $ownerIds, from: $from, to: $to
      }
    ) {
      summary { requests reasons { reason requests lastAt message } }
    }
  }
`)

export type Rejection = ResultOf<typeof rejectionFields>
export type RejectionReason = Rejection['reason']
export type RejectionSummary = NonNullable<NonNullable<ResultOf<typeof rejectionSummaryQuery>['rejections']>['summary']>
