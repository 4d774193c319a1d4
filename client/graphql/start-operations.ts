import { graphql } from './tada.ts'

/** Whether there is a first group, account and key. */
export const startQuery = graphql(`
  query Start {
    groups(first: 1) { edges { node { id } } }
    accounts(first: 1) { edges { node { id } } }
    apiKeys(first: 1) { edges { node { id } } }
  }
`)
