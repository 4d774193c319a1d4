import { graphql, type ResultOf } from './tada.ts'

export const deploymentQuery = graphql(`
  query Deployment { deployment { version baseUrl timeZone needsSetup } }
`)

export const completeSetup = graphql(`
  mutation CompleteSetup($input: CompleteSetupInput!) {
    result: completeSetup(input: $input) {
      __typename
      ... on CompleteSetupSuccess { session { accessToken expiresInSeconds user { id username role mustChangePassword } } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`)

export const signIn = graphql(`
  mutation SignIn($input: SignInInput!) {
    result: signIn(input: $input) {
      __typename
      ... on SignInSuccess { session { accessToken expiresInSeconds user { id username role mustChangePassword } } }
      ... on InputFailure { fields { path code values message } }
      ... on Failure { code values message }
    }
  }
`)

export const refreshSession = graphql(`
  mutation RefreshSession {
    result: refreshSession {
      __typename
      ... on RefreshSessionSuccess { session { accessToken expiresInSeconds user { id username role mustChangePassword } } }
      ... on Failure { code values message }
    }
  }
`)

export const signOut = graphql(`
  mutation SignOut { result: signOut { __typename ... on SignOutSuccess { endedSessionId } } }
`)

/** What the server returns after a sign-in. The token lives in memory only. */
export type Grant = Extract<
  ResultOf<typeof refreshSession>['result'],
  { __typename: 'RefreshSessionSuccess' }
>['session']
