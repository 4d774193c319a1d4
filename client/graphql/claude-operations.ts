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

export const setClaudeAccounts = graphql(`
  mutation SetClaudeAccounts($enabled: Boolean!, $acknowledged: Boolean) {
    result: setClaudeAccounts(enabled: $enabled, acknowledged: $acknowledged) {
      __typename
      ... on SetClaudeAccountsSuccess { claudeAccounts { enabled } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`)

export const beginClaudeLogin = graphql(`
  mutation BeginClaudeLogin {
    result: beginClaudeLogin {
      __typename
      ... on BeginClaudeLoginSuccess { url expiresAt }
      ... on Failure { message }
    }
  }
`)

export type ClaudeSwitch = ResultOf<typeof claudeSwitchQuery>['claudeAccounts']
