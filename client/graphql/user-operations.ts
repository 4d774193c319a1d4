import { graphql } from './tada.ts'

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
