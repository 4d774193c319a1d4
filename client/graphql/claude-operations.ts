import { graphql, type ResultOf } from './tada.ts'

export const claudeSwitchQuery = graphql(`
  query ClaudeSwitch($isAdmin: Boolean!) {
    claudeAccounts {
      enabled
      notice
      acknowledgedAt @include(if: $isAdmin)
      acknowledgedBy @include(if: $isAdmin) { username }
    }
  }
`)

export const updateClaudeAccounts = graphql(`
  mutation UpdateClaudeAccounts($enabled: Boolean!, $acknowledged: Boolean) {
    result: updateClaudeAccounts(input: { enabled: $enabled, acknowledged: $acknowledged }) {
      __typename
      ... on UpdateClaudeAccountsSuccess { claudeAccounts { enabled } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`)

export const beginClaudeLogin = graphql(`
  mutation BeginClaudeLogin {
    result: beginClaudeLogin {
      __typename
      ... on BeginClaudeLoginSuccess { url expiresAt }
      ... on Failure { code values message }
    }
  }
`)

export type ClaudeSwitch = NonNullable<ResultOf<typeof claudeSwitchQuery>['claudeAccounts']>
