import { graphql } from './tada.ts'

export const usersQuery = graphql(`
  query Users($search: String) {
    list: users(first: 20, search: $search) { edges { node { id username } } }
  }
`)

export const transferOwnership = graphql(`
  mutation GiveToOwner($id: ID!, $ownerId: ID!) {
    result: giveToOwner(id: $id, ownerId: $ownerId) {
      __typename
      ... on GiveToOwnerSuccess { owner { id username } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`)

export const changePassword = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    result: changePassword(input: $input) {
      __typename
      ... on ChangePasswordSuccess { ok }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`)
