import { graphql } from './tada.ts'

/** Whether there is a first group, account and key, and whether an account has answered. */
export const startQuery = graphql(`
  query Start {
    groups(first: 1) { edges { node { id } } }
    accounts(first: 100) { edges { node { id isTested } } }
    apiKeys(first: 1) { edges { node { id } } }
  }
`)
