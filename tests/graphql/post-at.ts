import { password } from './stand.ts'

/** One operation at a whole program's door; gives its data. */
export async function postAt(url: string, query: string, variables: object, token?: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they asked for
  const { data, errors } = (await response.json()) as { data: any; errors?: object[] }
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

/** An access token. */
export async function signInAt(url: string, username: string, word = password): Promise<string> {
  const signIn =
    'mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignInSuccess { session { accessToken } } } }'
  return (await postAt(url, signIn, { input: { username, password: word } })).signIn.session.accessToken
}
