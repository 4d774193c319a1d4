import { graphql, type ResultOf } from './tada.ts'

const groupFields = graphql(`
  fragment GroupFields on Group { id name remark enabled shared returnsToPriority stripForeignReasoning createdAt chargeFactor dailyLimit weeklyLimit monthlyLimit totalLimit rollingLimit rollingHours accounts { totalCount } apiKeys { totalCount } owner { id username } }
`)

export const groupsQuery = graphql(
  `
  query Groups($first: Int, $after: String, $search: String, $ownerIds: [ID!], $enabled: Boolean) {
    list: groups(
      first: $first, after: $after, filter: { search: $search, ownerIds: $ownerIds, enabled: $enabled }
    ) {
      edges { node { ...GroupFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [groupFields],
)

/** Groups to put something into, for a select. */
export const openGroupsQuery = graphql(`
  query OpenGroups($search: String, $usableFor: GroupUse!) {
    list: groups(first: 20, filter: { search: $search, usableFor: $usableFor }) { edges { node { id name } } }
  }
`)

export const createGroup = graphql(
  `
  mutation CreateGroup($input: CreateGroupInput!) {
    result: createGroup(input: $input) {
      __typename
      ... on CreateGroupSuccess { group { ...GroupFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [groupFields],
)

export const updateGroup = graphql(
  `
  mutation UpdateGroup($input: UpdateGroupInput!) {
    result: updateGroup(input: $input) {
      __typename
      ... on UpdateGroupSuccess { group { ...GroupFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [groupFields],
)

export const deleteGroup = graphql(`
  mutation DeleteGroup($id: ID!) {
    result: deleteGroup(input: { id: $id }) {
      __typename
      ... on DeleteGroupSuccess { deletedId }
      ... on Failure { code values message }
    }
  }
`)

/** All accounts of a group, also those of other people; null for those who do not own it. */
export const groupMembersQuery = graphql(`
  query GroupMembers($id: ID!) {
    node(id: $id) {
      ... on Group {
        id
        members { id name platform enabled state { name until reason failure { code place } } }
      }
    }
  }
`)

export const removeAccountFromGroup = graphql(`
  mutation RemoveAccountFromGroup($input: RemoveAccountFromGroupInput!) {
    result: removeAccountFromGroup(input: $input) {
      __typename
      ... on RemoveAccountFromGroupSuccess { group { id } }
      ... on Failure { code values message }
    }
  }
`)

export type Group = ResultOf<typeof groupFields>
