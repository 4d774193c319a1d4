export interface GraphqlAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they asked for
  data: any
  errors: { message: string }[] | undefined
}

/** One operation over HTTP, signed by `token` where there is one. */
export async function askGraphql(
  url: string,
  query: string,
  variables: object = {},
  token = '',
): Promise<GraphqlAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  })
  return (await response.json()) as GraphqlAnswer
}

/** The access token of a person. */
export async function signedIn(url: string, username: string, password: string): Promise<string> {
  const { data } = await askGraphql(
    url,
    'mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignInSuccess { session { accessToken } } } }',
    { input: { username, password } },
  )
  return data.signIn.session.accessToken as string
}
