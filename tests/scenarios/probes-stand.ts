import { expect } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import type { FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

/** Nothing happens by the clock here: what is due is asked for. */
export const still = { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 }

export const probeAccount =
  'mutation ($id: ID!) { probeAccount(input: { id: $id }) { __typename ... on ProbeAccountSuccess { probe { ok status message code failure { code place } } } ... on ConflictFailure { message } } }'

/** A relay with one account at the upstream, and an administrator. */
export async function startProbed(upstream: FakeUpstream, options: RelayAppOptions = {}) {
  const relay = await startRelayApp({
    accounts: [{ url: upstream.url, models: ['claude-haiku-4-5', 'claude-opus-4-5'] }],
    env: { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' },
    jobs: still,
    ...options,
  })
  const admin = await signedIn(relay.app.url, 'admin', 'correct horse battery')
  const { data } = await askGraphql(relay.app.url, '{ accounts { edges { node { id } } } }', {}, admin)
  return { relay, admin, accountId: data.accounts.edges[0].node.id as string }
}

/** The more expensive of the account's models. */
export const request = (on: RelayApp) => ask(on.base, testKey, { body: { model: 'claude-opus-4-5' } })

export async function loseLogin(upstream: FakeUpstream, on: RelayApp): Promise<void> {
  upstream.script(refusal(401, 'authentication_error'))
  expect((await request(on)).status).toBe(503)
}
