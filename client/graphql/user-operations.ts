import { graphql, type ResultOf } from './tada.ts'

/** Under `name`, as every list calls what names a row. */
const userFields = graphql(`
  fragment UserFields on User {
    id name: username email role enabled mustChangePassword createdAt chargeFactor
    dailyLimit weeklyLimit monthlyLimit totalLimit rollingLimit rollingHours
  }
`)

export const userListQuery = graphql(
  `
  query UserList($first: Int, $after: String, $search: String, $roles: [Role!], $enabled: Boolean) {
    list: users(first: $first, after: $after, filter: { search: $search, roles: $roles, enabled: $enabled }) {
      edges { node { ...UserFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [userFields],
)

export const createUser = graphql(
  `
  mutation CreateUser($input: CreateUserInput!) {
    result: createUser(input: $input) {
      __typename
      ... on CreateUserSuccess { user { ...UserFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [userFields],
)

export const updateUser = graphql(
  `
  mutation UpdateUser($input: UpdateUserInput!) {
    result: updateUser(input: $input) {
      __typename
      ... on UpdateUserSuccess { user { ...UserFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [userFields],
)

/** People by name, for a select. */
export const usersQuery = graphql(`
  query Users($search: String) {
    list: users(first: 20, filter: { search: $search }) { edges { node { id username } } }
  }
`)

export const transferOwnership = graphql(`
  mutation TransferOwnership($id: ID!, $ownerId: ID!) {
    result: transferOwnership(input: { id: $id, ownerId: $ownerId }) {
      __typename
      ... on TransferOwnershipSuccess { owner { id username } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`)

export const changePassword = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    result: changePassword(input: $input) {
      __typename
      ... on ChangePasswordSuccess { user { id } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`)

export type User = ResultOf<typeof userFields>
