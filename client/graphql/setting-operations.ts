import { graphql } from './tada.ts'

export const settingsQuery = graphql(`
  query Settings { settings { upstreamAllow } }
`)

export const updateSettings = graphql(`
  mutation UpdateSettings($input: UpdateSettingsInput!) {
    result: updateSettings(input: $input) {
      __typename
      ... on UpdateSettingsSuccess { settings { upstreamAllow } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`)
