import { expect, test } from 'vitest'
import { password, startGraphqlStand } from './stand.ts'

const refresh = `mutation { refreshSession { __typename ... on RefreshSessionSuccess { session { accessToken user { username } } } } }`
const who = '{ viewer { user { username role } sessionExpiresAt } }'
const setUp = `mutation ($input: CompleteSetupInput!) { completeSetup(input: $input) { __typename
  ... on CompleteSetupSuccess { session { accessToken user { username role } } }
  ... on InputFailure { fields { path } } ... on ConflictFailure { message } } }`

test('the setup link makes the first administrator, once', async () => {
  const { ask, setup } = await startGraphqlStand()
  const token = new URL(setup.linkPath(), 'http://x').searchParams.get('token')
  expect((await ask('{ deployment { needsSetup } }')).data.deployment.needsSetup).toBe(true)
  const input = { username: 'Ada', password, token: `${token}x` }
  expect((await ask(setUp, { input })).data.completeSetup.fields).toEqual([{ path: 'token' }])
  const done = await ask(setUp, { input: { ...input, token } })
  expect(done.data.completeSetup.session.user).toEqual({ username: 'ada', role: 'ADMIN' })
  expect((await ask(who, {}, { token: done.data.completeSetup.session.accessToken })).data.viewer.user.username).toBe(
    'ada',
  )
  expect((await ask(setUp, { input: { ...input, username: 'eve', token } })).data.completeSetup.__typename).toBe(
    'ConflictFailure',
  )
  expect((await ask('{ deployment { needsSetup } }')).data.deployment.needsSetup).toBe(false)
})

test('the refresh cookie is HttpOnly, SameSite=Strict, for this path, and Secure behind https', async () => {
  const stand = await startGraphqlStand({ secureCookies: true })
  await stand.addUser('ada', 'admin')
  const { setCookie } = await stand.signIn('ada')
  expect(setCookie).toMatch(
    /^relay_refresh=[\w-]{43}; Path=\/graphql; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/,
  )
  // Browsers say how they came; one that came by plain http would drop a Secure cookie.
  for (const [origin, isSecure] of [
    ['http://10.0.0.5:10081', false],
    ['https://relay.example', true],
  ] as const) {
    const response = await fetch(stand.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({
        query: `mutation { signIn(input: { username: "ada", password: "${password}" }) { __typename } }`,
      }),
    })
    expect(response.headers.get('set-cookie')?.endsWith('; Secure')).toBe(isSecure)
  }
})

test('a refresh token works once; when it comes again its session is over, the new one too', async () => {
  const stand = await startGraphqlStand()
  await stand.addUser('ada', 'admin')
  const { cookie } = await stand.signIn('ada')
  const first = await stand.ask(refresh, {}, { cookie })
  expect(first.data.refreshSession.session.user.username).toBe('ada')
  const next = first.headers.get('set-cookie')!.split(';')[0]!
  const ended: unknown[] = []
  await stand.events.subscribe('sessions.ended', (message) => void ended.push(message))
  stand.clock.atMs += 11_000
  expect((await stand.ask(refresh, {}, { cookie })).data.refreshSession.__typename).toBe('SignInFailure')
  expect((await stand.ask(refresh, {}, { cookie: next })).data.refreshSession.__typename).toBe('SignInFailure')
  expect((await stand.ask(who, {}, { token: first.data.refreshSession.session.accessToken })).status).toBe(401)
  expect(ended).toEqual([{ sessionId: expect.any(Number) }])
})

test('fault 59: a refresh token used twice within the grace leads to one chain', async () => {
  const stand = await startGraphqlStand()
  await stand.addUser('ada', 'admin')
  await stand.client.session.deleteMany()
  const { cookie } = await stand.signIn('ada')
  const refreshed = async (as: string) => {
    const answer = await stand.ask(refresh, {}, { cookie: as })
    expect(answer.data.refreshSession.__typename).toBe('RefreshSessionSuccess')
    return answer.headers.get('set-cookie')!.split(';')[0]!
  }
  const [one, two] = await Promise.all([refreshed(cookie), refreshed(cookie)])
  expect(one).toBe(two)
  const third = await refreshed(one)
  // A tab that was slow gets the newest of the chain.
  expect(await refreshed(cookie)).toBe(third)
  expect(await stand.client.refreshToken.count({ where: { usedAt: null } })).toBe(1)
})

test('fault 59: a refresh token used after the grace ends its whole chain, and no other one', async () => {
  const stand = await startGraphqlStand()
  await stand.addUser('ada', 'admin')
  const { cookie: other } = await stand.signIn('ada')
  const { cookie } = await stand.signIn('ada')
  const cookies = [cookie]
  for (let i = 0; i < 3; i++) {
    const answer = await stand.ask(refresh, {}, { cookie: cookies.at(-1)! })
    cookies.push(answer.headers.get('set-cookie')!.split(';')[0]!)
  }
  stand.clock.atMs += 11_000
  for (const used of [cookies[1]!, ...cookies])
    expect((await stand.ask(refresh, {}, { cookie: used })).data.refreshSession.__typename).toBe('SignInFailure')
  expect((await stand.ask(refresh, {}, { cookie: other })).data.refreshSession.__typename).toBe('RefreshSessionSuccess')
})

test('an access token ends after a quarter of an hour, and at once with its session or its user', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const { id, token } = await stand.addUser('bob', 'user')
  expect((await stand.ask(who, {}, { token })).data.viewer.user).toEqual({ username: 'bob', role: 'USER' })
  await stand.client.user.update({ where: { id }, data: { enabled: false } })
  expect((await stand.ask(who, {}, { token })).status).toBe(401)
  expect((await stand.ask('{ groups { edges { cursor } } }', {}, { token })).errors?.[0]?.extensions?.code).toBe(
    'UNAUTHENTICATED',
  )
  expect((await stand.ask('mutation { signOut { __typename } }', {}, { token: admin.token })).errors).toBeUndefined()
  expect((await stand.ask(who, {}, { token: admin.token })).status).toBe(401)
  const again = await stand.signIn('ada')
  stand.clock.atMs += 15 * 60_000
  expect((await stand.ask(who, {}, { token: again.result.accessToken })).status).toBe(401)
})

test('fault 53: ten wrong passwords lock the name at that address for a quarter of an hour, whether it exists or not', async () => {
  const stand = await startGraphqlStand()
  await stand.addUser('ada', 'admin')
  const attacker = '198.51.100.7'
  for (const [name, other] of [
    ['ada', 'ADA'],
    ['nobody', 'Nobody'],
  ] as const) {
    const wrong = []
    for (let i = 0; i < 10; i++)
      wrong.push((await stand.signIn(i % 2 ? name : other, 'wrong password', attacker)).result)
    expect(new Set(wrong.map(({ message }) => message)).size).toBe(1)
    const locked = (await stand.signIn(name, password, attacker)).result
    expect(locked).toMatchObject({ __typename: 'SignInFailure', retryAfterSeconds: 900 })
  }
  // The owner signs in from elsewhere, and a colleague from the same address.
  expect((await stand.signIn('ada', password, '203.0.113.9')).result.__typename).toBe('SignInSuccess')
  await stand.addUser('bob', 'user')
  expect((await stand.signIn('bob', password, attacker)).result.__typename).toBe('SignInSuccess')
  expect((await stand.signIn('ada', password, attacker)).result.__typename).toBe('SignInFailure')
  stand.clock.atMs += 15 * 60_000
  expect((await stand.signIn('ada', password, attacker)).result.__typename).toBe('SignInSuccess')
})

test('an address that tries a hundred names is refused, IPv6 by its /64 network; others are not', async () => {
  const stand = await startGraphqlStand()
  await stand.addUser('ada', 'admin')
  for (let i = 0; i < 100; i++) {
    stand.clock.atMs += 1000
    const { result } = await stand.signIn(`name${i}`, 'wrong password', `2001:db8::${i.toString(16)}`)
    expect(result.retryAfterSeconds).toBeNull()
  }
  expect((await stand.signIn('ada', password, '2001:db8::1:ffff')).result.retryAfterSeconds).toBeGreaterThan(0)
  expect((await stand.signIn('ada', password, '2001:db8:0:1::1')).result.__typename).toBe('SignInSuccess')
})

test('a new password, another role, switching off: the sessions of the user end, and everybody hears of it', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const bob = await stand.addUser('bob', 'admin')
  const heard: unknown[] = []
  await stand.events.subscribe('sessions.ended', (message) => void heard.push(message))
  const update = `mutation ($input: UpdateUserInput!) { updateUser(input: $input) { __typename ... on ConflictFailure { message } } }`
  await stand.ask(update, { input: { id: bob.globalId, role: 'USER' } }, { token: admin.token })
  expect((await stand.ask(who, {}, { token: bob.token })).status).toBe(401)
  expect(heard).toEqual([{ userId: bob.id }])
  for (const change of [{ enabled: false }, { role: 'USER' }]) {
    const last = await stand.ask(update, { input: { id: admin.globalId, ...change } }, { token: admin.token })
    expect(last.data.updateUser.__typename).toBe('ConflictFailure')
  }
})

test('of sessions that are asked for, those stand that nobody ended and whose user is enabled', async () => {
  const stand = await startGraphqlStand()
  const [ada, bob, eve] = [
    await stand.addUser('ada', 'admin'),
    await stand.addUser('bob', 'user'),
    await stand.addUser('eve', 'user'),
  ]
  const all = await stand.client.session.findMany({ orderBy: { id: 'asc' } })
  await stand.client.session.updateMany({ where: { userId: bob.id }, data: { revokedAt: new Date() } })
  await stand.client.user.update({ where: { id: eve.id }, data: { enabled: false } })
  const standing = await stand.sessions.standing([...all.map(({ id }) => id), 9_999])
  expect([...standing]).toEqual([[all.find(({ userId }) => userId === ada.id)?.id, 'admin']])
})

test('strangers fill no audit log with sessions that never were', async () => {
  const stand = await startGraphqlStand()
  await stand.addUser('ada', 'admin')
  const { cookie } = await stand.signIn('ada')
  const rows = await stand.client.apiLog.count()
  const nonsense = { cookie: `relay_refresh=${'x'.repeat(43)}` }
  for (const as of [{}, nonsense]) {
    expect((await stand.ask(refresh, {}, as)).data.refreshSession.__typename).toBe('SignInFailure')
    expect((await stand.ask('mutation { signOut { __typename } }', {}, as)).data.signOut.__typename).toBe(
      'SignOutSuccess',
    )
  }
  expect((await stand.ask(refresh, {}, nonsense)).headers.get('set-cookie')).toContain('Max-Age=0')
  expect(await stand.client.apiLog.count()).toBe(rows)
  await stand.ask('mutation { signOut { __typename } }', {}, { cookie })
  await stand.ask(refresh, {}, { cookie })
  expect(await stand.client.apiLog.count()).toBe(rows + 2)
})
