import { expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { accountWith, startClaudeStand } from './claude-stand.ts'

const states = '{ accounts { edges { node { state { name } } } } }'

test('a refresh that fails ends no login: it is tried again with growing pauses while the access token lives and after, and the account says when', async () => {
  let offsetMs = 0
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), 300_000)], {
    now: () => Date.now() + offsetMs,
    jobs: { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 },
  })
  const { claude, ask, graphql } = stand
  const login = async () =>
    (await graphql('{ accounts { edges { node { login { refreshFailure refreshError nextRefreshAt } } } } }')).accounts
      .edges[0].node.login
  const error = (type: string) => ({ type: 'error', error: { type, message: type } })
  const answers = [
    [403, '<html>Attention required</html>'],
    [400, error('invalid_request_error')],
    [429, error('rate_limit_error')],
    [403, error('permission_error')],
    [502, '<html>Bad gateway</html>'],
  ] as const
  claude.grantScript = (exchange) => {
    const [status, body] = answers[claude.grants.length - 1]!
    return exchange.respond(status, {}, body)
  }
  // The access token lives: requests are served, and the renewal is tried beside them.
  let before: string | null = null
  let waitMs = 0
  for (const [at, [status]] of answers.entries()) {
    expect((await ask()).status).toBe(200)
    await expect.poll(async () => (await login()).nextRefreshAt).not.toBe(before)
    const { refreshFailure, refreshError, nextRefreshAt } = await login()
    expect([claude.grants.length, refreshFailure]).toEqual([at + 1, null])
    expect(refreshError).toContain(`The token endpoint answered ${status}`)
    const nextMs = Date.parse(nextRefreshAt) - Date.now() - offsetMs
    expect(nextMs).toBeGreaterThan(waitMs * 1.4)
    ;[before, waitMs] = [nextRefreshAt, nextMs]
    // Before its time nobody asks.
    expect((await ask()).status).toBe(200)
    expect(claude.grants).toHaveLength(at + 1)
    offsetMs += nextMs + 1000
  }
  // It has ended: nobody is served, the login stays, and is renewed as soon as the vendor can.
  claude.grantScript = null
  claude.troubledWith = 503
  offsetMs = 301_000
  claude.revoke()
  expect((await ask()).status).toBe(529)
  claude.troubledWith = null
  offsetMs = 800_000
  expect((await ask()).status).toBe(200)
  expect(await login()).toEqual({ refreshFailure: null, refreshError: null, nextRefreshAt: null })
})

test('fault 14: a 403 that says the access token was revoked leads to one forced renewal, and the request is served', async () => {
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), 3_600_000)])
  const { claude, ask, graphql } = stand
  const revoked = refusal(403, 'permission_error', 'OAuth token has been revoked. Please obtain a new token.')
  claude.script(revoked)
  expect((await ask()).status).toBe(200)
  expect(claude.grants).toHaveLength(1)
  expect((await graphql(states)).accounts.edges[0].node.state.name).toBe('READY')
  // A fresh one that is revoked too needs a person.
  claude.script(revoked, revoked)
  expect((await ask()).status).toBe(503)
  expect(claude.grants).toHaveLength(2)
  expect((await graphql(states)).accounts.edges[0].node.state.name).toBe('REAUTH_REQUIRED')
})

test('an access token in its last seconds serves while its renewal fails', async () => {
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), 20_000)])
  stand.claude.troubledWith = 503
  expect((await stand.ask()).status).toBe(200)
  expect((await stand.rows()).at(-1)).toMatchObject({ attempts: 1, outcome: 'completed' })
})
