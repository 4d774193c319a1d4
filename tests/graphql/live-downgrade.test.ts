import { expect, onTestFinished, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { type Message, openSocket } from './live-stand.ts'
import { postAt, signInAt } from './post-at.ts'
import { password } from './stand.ts'

const query =
  'subscription ($after: String) { feed: requestEvents(after: $after, filter: { kinds: [SETTLED] }) { cursor events { __typename } } }'
const eventsOf = (messages: Message[]) =>
  messages
    .filter(({ type }) => type === 'next')
    .map(({ payload }) => (payload as { data: { feed: { cursor: string; events: object[] } } }).data.feed)
    .flatMap(({ cursor, events }) => events.map(() => ({ cursor })))

test('fault 47: a role that is taken away closes the socket with 4403 at once; who comes again resumes with the lesser rights', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }], env: { DEFAULT_ADMIN_PASSWORD: password } })
  onTestFinished(() => relay.stop())
  const url = `${relay.app.url}/graphql`
  const port = Number(new URL(url).port)
  const ask = () =>
    fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }),
    }).then((answer) => answer.text())

  const admin = await signInAt(url, 'admin')
  const create =
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { ... on CreateUserSuccess { user { id } } } }'
  const made = await postAt(url, create, { input: { username: 'bob', password, role: 'ADMIN' } }, admin)
  const before = await signInAt(url, 'bob')
  const bob = openSocket(port)
  await bob.signIn(before)
  await bob.until((messages) => messages.some(({ type }) => type === 'connection_ack'))
  bob.subscribe(query)
  // What is asked over the socket later is answered later: the subscription stands.
  bob.subscribe('{ nothing }', '2')
  await bob.until((messages) => messages.some(({ id }) => id === '2'))
  await ask()
  const [seen] = await bob.until((messages) => eventsOf(messages).length > 0 && eventsOf(messages))

  const update = 'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { __typename } }'
  await postAt(url, update, { input: { id: made.createUser.user.id, role: 'USER' } }, admin)
  expect(await bob.closed).toBe(4403)

  const after = await signInAt(url, 'bob')
  const again = openSocket(port)
  await again.signIn(after)
  await again.until((messages) => messages.some(({ type }) => type === 'connection_ack'))
  again.subscribe(query, '1', { after: seen?.cursor })
  const watching = openSocket(port)
  await watching.signIn(admin)
  await watching.until((messages) => messages.some(({ type }) => type === 'connection_ack'))
  watching.subscribe(query, '1', { after: seen?.cursor })
  await ask()
  await ask()
  expect(await watching.until((messages) => eventsOf(messages).length >= 2 && eventsOf(messages))).toHaveLength(2)
  // The requests were of a key that is not his.
  expect(eventsOf(again.messages)).toEqual([])
})
