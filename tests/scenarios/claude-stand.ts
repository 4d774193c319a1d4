import { onTestFinished } from 'vitest'
import { createFakeClaude, type FakeClaude, type Login } from '../support/fake-claude.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'
import { type Answer, ask } from './pools.ts'

const admin = { username: 'admin', password: 'correct horse battery' }
export const adminEnv = { DEFAULT_ADMIN_USERNAME: admin.username, DEFAULT_ADMIN_PASSWORD: admin.password }

/** One operation of GraphQL, signed in as the administrator (or another one with the same password). */
export async function signedIn(url: string, username = admin.username) {
  const post = async (query: string, variables: object, token?: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: tests read what they asked for
    return (await response.json()) as { data: any; errors?: { message: string }[] }
  }
  const signIn = `mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignInSuccess { session { accessToken } } } }`
  const token = (await post(signIn, { input: { ...admin, username } })).data.signIn.session.accessToken as string
  const graphql = async (query: string, variables: object = {}) => {
    const { data, errors } = await post(query, variables, token)
    if (errors) throw new Error(errors.map(({ message }) => message).join('; '))
    return data
  }
  return Object.assign(graphql, { token })
}

export type Graphql = Awaited<ReturnType<typeof signedIn>>

export const turnOn = (graphql: Graphql) =>
  graphql('mutation { updateClaudeAccounts(input: { enabled: true, acknowledged: true }) { __typename } }')

/** An account of a provisioning file that opens the vendor with this login. */
export const accountWith = (claude: FakeClaude, { accessToken, refreshToken }: Login, expiresInMs?: number) => ({
  platform: 'claude',
  url: claude.url,
  secret: undefined,
  accessToken,
  refreshToken,
  ...(expiresInMs !== undefined && { expiresAt: new Date(Date.now() + expiresInMs).toISOString() }),
})

export interface ClaudeStand extends RelayApp {
  claude: FakeClaude
  graphql: Graphql
  ask(body?: object): Promise<Answer>
}

/** Nothing here is about slow upstreams. */
const patient = { firstByteStreamMs: 15_000, firstByteJsonMs: 15_000, idleMs: 15_000 }

/** A relay beside an emulated vendor, claude accounts turned on; all of it goes with the test. */
export async function startClaudeStand(
  accountsOf: (claude: FakeClaude) => RelayAppOptions['accounts'],
  options: RelayAppOptions & { vendor?: Parameters<typeof createFakeClaude>[0] } = {},
): Promise<ClaudeStand> {
  const { vendor, ...more } = options
  const claude = await createFakeClaude(vendor)
  onTestFinished(() => claude.close())
  const relay = await startRelayApp({
    ...more,
    timers: { ...patient, ...more.timers },
    accounts: accountsOf(claude) ?? [],
    env: { ...adminEnv, ...claude.env, ...more.env },
  })
  onTestFinished(() => relay.stop())
  const graphql = await signedIn(relay.app.url)
  await turnOn(graphql)
  return {
    ...relay,
    claude,
    graphql,
    ask: (body = {}) => ask(relay.base, testKey, { body: { stream: false, ...body } }),
  }
}
