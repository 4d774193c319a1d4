import { graphql, type ResultOf } from './tada.ts'

const settingFields = graphql(`
  fragment SettingFields on Settings {
    systemName recoveryProbes recoveryProbeSeconds whenLimitReached weekStart resetHour upstreamAllow
  }
`)

export const settingsQuery = graphql(
  `
  query Settings { settings { ...SettingFields } }
`,
  [settingFields],
)

export const updateSettings = graphql(
  `
  mutation UpdateSettings($input: UpdateSettingsInput!) {
    result: updateSettings(input: $input) {
      __typename
      ... on UpdateSettingsSuccess { settings { ...SettingFields } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`,
  [settingFields],
)

export type Settings = ResultOf<typeof settingFields>
