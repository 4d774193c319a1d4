import { graphql } from './tada.ts'

export const settingsQuery = graphql(`
  query Settings { settings { name value } }
`)

export const updateSettings = graphql(`
  mutation UpdateSettings($input: [SettingInput!]!) {
    result: updateSettings(input: $input) {
      __typename
      ... on UpdateSettingsSuccess { settings { name value } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`)
