import { graphql, type ResultOf } from './tada.ts'

export const deploymentQuery = graphql(`
  query Deployment { deployment { version baseUrl timeZone needsSetup } }
`)

export const completeSetup = graphql(`
  mutation CompleteSetup($input: CompleteSetupInput!) {
    result: completeSetup(input: $input) {
      __typename
      ... on CompleteSetupSuccess { accessToken expiresAt user { id username role mustChangePassword } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`)

export const signIn = graphql(`
  mutation SignIn($input: SignInInput!) {
    result: signIn(input: $input) {
      __typename
      ... on SignInSuccess { accessToken expiresAt user { id username role mustChangePassword } }
      ... on InputFailure { fields { path message } }
      ... on Failure { message }
    }
  }
`)

export const refreshSession = graphql(`
  mutation RefreshSession {
    result: refreshSession {
      __typename
      ... on RefreshSessionSuccess { accessToken expiresAt user { id username role mustChangePassword } }
      ... on Failure { message }
    }
  }
`)

export const signOut = graphql(`
  mutation SignOut { result: signOut { __typename ... on SignOutSuccess { ok } } }
`)

/** What the server hands out when somebody is let in. The token lives in memory only. */
export type Grant = Omit<
  Extract<ResultOf<typeof refreshSession>['result'], { __typename: 'RefreshSessionSuccess' }>,
  '__typename'
>
