import { describe, expect, test, vi } from 'vitest'
import { createSignedFetch } from '../../client/data/client.ts'
import { outcomeOf } from '../../client/data/outcome.ts'
import type { Grant } from '../../client/graphql/session-operations.ts'
import { createSession } from '../../client/session.ts'

const grant = (accessToken: string, expiresInMs = 900_000): Grant => ({
  accessToken,
  expiresInSeconds: expiresInMs / 1000,
  user: { id: 'U', username: 'anna', role: 'ADMIN', mustChangePassword: false },
})

function makeSession(answers: (Grant | undefined)[], now = Date.now) {
  const refresh = vi.fn(async () => answers.shift())
  const sent: string[] = []
  let deliver: (message: unknown) => void = () => {}
  const session = createSession({
    refresh,
    exclusive: (work) => work(),
    channel: {
      post: (message) => void sent.push(message),
      onMessage: (listener) => {
        deliver = listener
      },
    },
    now,
  })
  return { session, refresh, sent, deliver: (message: unknown) => deliver(message) }
}

describe('a session', () => {
  test('many that need a token at once cause one refresh', async () => {
    const { session, refresh } = makeSession([grant('one')])
    const tokens = await Promise.all([session.renew(), session.renew(), session.token(), session.token()])
    expect(tokens).toEqual([true, true, 'one', 'one'])
    expect(refresh).toHaveBeenCalledTimes(1)
    session.leave()
  })

  test('a token near its end is renewed before it is used', async () => {
    const { session } = makeSession([grant('two')])
    session.accept(grant('one', 5000))
    expect(await session.token()).toBe('two')
    session.leave()
  })

  test('a clock that is 20 minutes ahead, or back, or that is put right meanwhile, renews nothing without end', async () => {
    for (const wrongMs of [20 * 60_000, -20 * 60_000]) {
      let aheadMs = wrongMs
      const { session, refresh } = makeSession([grant('one'), grant('two')], () => Date.now() + aheadMs)
      await session.start()
      for (let i = 0; i < 5; i++) expect(await session.token()).toBe('one')
      expect(refresh).toHaveBeenCalledTimes(1)
      aheadMs = 20 * 60_000 - wrongMs
      for (let i = 0; i < 5; i++) expect(await session.token()).toBe(wrongMs > 0 ? 'one' : 'two')
      session.leave()
    }
  })

  test('without a session nobody is signed in and nothing is asked again', async () => {
    const { session, refresh } = makeSession([undefined])
    await session.start()
    expect(session.user.value).toBeUndefined()
    expect(await session.token()).toBeUndefined()
    expect(refresh).toHaveBeenCalledTimes(1)
  })

  test('signing out in one tab signs out the others', () => {
    const { session, sent, deliver } = makeSession([])
    session.accept(grant('one'))
    deliver('something else')
    expect(session.user.value?.username).toBe('anna')
    deliver('signed-out')
    expect(session.user.value).toBeUndefined()
    session.leave()
    expect(sent).toEqual(['signed-out'])
  })
})

describe('a request that the server refuses', () => {
  const refused = () => Response.json({ errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] })
  const fine = () => Response.json({ data: { ok: true } })

  test('is asked once more with a new token, and only once', async () => {
    const answers = [refused(), refused()]
    const seen: (string | null)[] = []
    const send = (async (_input: unknown, init?: RequestInit) => {
      seen.push(new Headers(init?.headers).get('authorization'))
      return answers.shift() ?? fine()
    }) as typeof fetch
    const tokens = ['old', 'new']
    const signed = createSignedFetch({ token: async () => tokens.shift(), renew: async () => true }, send)
    const answer = await signed('http://relay/graphql', { method: 'POST' })
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
  })

  test('is not asked again when there is no session to renew', async () => {
    let count = 0
    const send = (async () => {
      count += 1
      return refused()
    }) as typeof fetch
    await createSignedFetch({ token: async () => undefined, renew: async () => false }, send)('http://relay/graphql')
    expect(count).toBe(1)
  })
})

const asIs = { ofField: ({ code }: { code: string }) => code, ofFailure: ({ code }: { code: string }) => code }

test("a mutation's union is a value or sentences by field", () => {
  expect(outcomeOf({ __typename: 'CreateGroupSuccess', group: { id: 'G' } }, asIs)).toMatchObject({ ok: true })
  const fields = [
    { path: 'name', code: 'TAKEN', message: 'is taken' },
    { path: 'name', code: 'TOO_SHORT', message: 'is short' },
  ]
  expect(outcomeOf({ __typename: 'InputFailure', message: 'no', fields }, asIs)).toMatchObject({
    ok: false,
    fields: { name: 'TAKEN' },
  })
  const items = [{ path: 'modelMapping[1].to', code: 'MODEL_MALFORMED', message: 'must be a model' }]
  expect(outcomeOf({ __typename: 'InputFailure', message: 'no', fields: items }, asIs)).toMatchObject({
    fields: { modelMapping: '2: MODEL_MALFORMED' },
  })
  expect(outcomeOf({ __typename: 'ConflictFailure', code: 'JOB_RUNNING', message: 'in use' }, asIs)).toMatchObject({
    ok: false,
    message: 'JOB_RUNNING',
    fields: {},
  })
})
