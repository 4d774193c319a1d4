import { expect, onTestFinished, test } from 'vitest'
import { resetPassword } from '../../server/cli/admin.ts'
import { createLog } from '../../server/log.ts'
import { cheapPasswords } from '../support/cheap-passwords.ts'
import { deferred } from '../support/deferred.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { openSocket } from './live-stand.ts'
import { postAt, signInAt } from './post-at.ts'
import { password, startGraphqlStand } from './stand.ts'

test('after `admin reset` a session may choose another password, and nothing else until then', async () => {
  const relay = await startRelayApp({ env: { DEFAULT_ADMIN_PASSWORD: password } })
  onTestFinished(() => relay.stop())
  const url = `${relay.app.url}/graphql`
  const said: string[] = []
  const silent = createLog({ level: 'silent', to: { write: () => {} } })
  await resetPassword(relay.config, silent, 'admin', (text) => said.push(text))
  const made = /is now: (\S+)\n/.exec(said.join(''))?.[1] ?? ''
  const token = await signInAt(url, 'admin', made)

  const who = '{ viewer { user { username mustChangePassword } } }'
  expect((await postAt(url, who, {}, token)).viewer.user).toEqual({ username: 'admin', mustChangePassword: true })
  const closed = [
    '{ accounts { edges { node { id } } } }',
    '{ users { edges { node { id } } } }',
    '{ liveRequests { cursor } }',
    'mutation { createGroup(input: { name: "x" }) { __typename } }',
    'mutation { updateSettings(input: {}) { __typename } }',
  ]
  for (const query of closed) await expect(postAt(url, query, {}, token)).rejects.toThrow('PASSWORD_CHANGE_NEEDED')
  const socket = openSocket(Number(new URL(url).port))
  await socket.signIn(token)
  await socket.until((messages) => messages.some(({ type }) => type === 'connection_ack'))
  socket.subscribe('subscription { requestEvents { cursor } }')
  const message = await socket.until((messages) => messages.find(({ id }) => id === '1'))
  expect(JSON.stringify(message)).toContain('PASSWORD_CHANGE_NEEDED')
  socket.socket.terminate()

  const change =
    'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename ... on InputFailure { fields { path message } } } }'
  const same = await postAt(url, change, { input: { currentPassword: made, newPassword: made } }, token)
  expect(same.changePassword.fields).toEqual([{ path: 'newPassword', message: 'must be another one than now' }])
  const changed = await postAt(
    url,
    change,
    { input: { currentPassword: made, newPassword: 'another battery staple' } },
    token,
  )
  expect(changed.changePassword.__typename).toBe('ChangePasswordSuccess')
  expect((await postAt(url, who, {}, token)).viewer.user.mustChangePassword).toBe(false)
  expect((await postAt(url, closed[0]!, {}, token)).accounts.edges).toEqual([])
})

test('tries to sign in are counted by the address that a trusted proxy tells; audit, sessions and ledger have it', async () => {
  const env = { DEFAULT_ADMIN_PASSWORD: password, TRUSTED_PROXIES: '127.0.0.0/8' }
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const relay = await startRelayApp({ env, accounts: [{ url: upstream.url }] })
  onTestFinished(() => relay.stop())
  const signIn =
    'mutation ($input: SignInInput!) { signIn(input: $input) { __typename ... on SignInFailure { retryAfterSeconds } } }'
  const from = async (address: string, username: string, word: string) => {
    const response = await fetch(`${relay.app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.1.1.1, ${address}` },
      body: JSON.stringify({ query: signIn, variables: { input: { username, password: word } } }),
    })
    return ((await response.json()) as { data: { signIn: { __typename: string; retryAfterSeconds: number } } }).data
      .signIn
  }
  for (let i = 0; i < 100; i++) await from('203.0.113.7', `nobody-${i}`, 'wrong')
  expect((await from('203.0.113.7', 'admin', password)).retryAfterSeconds).toBeGreaterThan(0)
  expect((await from('203.0.113.8', 'admin', password)).__typename).toBe('SignInSuccess')
  const rows = await relay.app.database.client.apiLog.findMany({ where: { action: 'signIn' }, orderBy: { id: 'desc' } })
  expect(rows[0]?.clientIp).toBe('203.0.113.8')
  const sessions = await relay.app.database.client.session.findMany()
  expect(sessions.map(({ clientIp }) => clientIp)).toEqual(['203.0.113.8'])
  const answer = await fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${testKey}`,
      'content-type': 'application/json',
      'x-forwarded-for': '198.51.100.1, 203.0.113.9',
    },
    body: JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }),
  })
  await answer.text()
  expect((await relay.rows()).map((row) => row['client_ip'])).toEqual(['203.0.113.9'])
})

test('who has an old password changes none that was set meanwhile', async () => {
  const looking = deferred()
  const changed = deferred()
  let waits = false
  const stand = await startGraphqlStand({
    passwords: {
      ...cheapPasswords,
      async matches(hash, word) {
        const right = await cheapPasswords.matches(hash, word)
        if (waits) looking.resolve()
        if (waits) await changed.promise
        return right
      },
    },
  })
  const { id, token } = await stand.addUser('bob', 'user')
  waits = true
  const other = await cheapPasswords.hash('set by an administrator')
  const change =
    'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { ... on InputFailure { fields { path } } } }'
  const asked = stand.ask(change, { input: { currentPassword: password, newPassword: 'chosen by a thief' } }, { token })
  await looking.promise
  await stand.client.user.update({ where: { id }, data: { passwordHash: other } })
  changed.resolve()
  expect((await asked).data.changePassword).toEqual({ fields: [{ path: 'currentPassword' }] })
  expect((await stand.client.user.findUniqueOrThrow({ where: { id } })).passwordHash).toBe(other)
})
