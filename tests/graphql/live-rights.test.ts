import { expect, test } from 'vitest'
import { request, settled } from '../live/live-stand.ts'
import { startGraphqlStand } from './stand.ts'

const running = '{ liveRequests { nodes { requestId account { id name } } } }'
const ended = `subscription { requestEvents(filter: { kinds: [SETTLED] }) { events { ... on RequestSettled { request { requestId account { id name } } } } } }`

test('who asks through an account of somebody else sees as little of it in live events as in the log', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const bob = await stand.addUser('bob', 'user')
  const addAccount = async ({ token }: { token: string }, name: string) => {
    const group = `mutation { createGroup(input: { name: "${name}" }) { ... on CreateGroupSuccess { group { id } } } }`
    const groupId = (await stand.ask(group, {}, { token })).data.createGroup.group.id
    const query = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) { ... on CreateAccountSuccess { account { id } } } }`
    const input = {
      name,
      groupIds: [groupId],
      platform: 'CONSOLE',
      url: 'https://api.example.com',
      upstreamApiKey: 'sk-upstream-0123456789',
    }
    const id = (await stand.ask(query, { input }, { token })).data.createAccount.account.id as string
    return { id, number: Number(Buffer.from(id, 'base64').toString().split(':')[1]), name }
  }
  const foreign = await addAccount(admin, 'of ada')
  const own = await addAccount(bob, 'of bob')
  const through = ({ number, name }: typeof own) =>
    request({ userId: bob.id, accountId: number, accountName: name, attempt: 1 })
  const requests = [through(foreign), through(own)]
  for (const one of requests) stand.live.started(one)

  const seen = async ({ token }: { token: string }) => (await stand.ask(running, {}, { token })).data.liveRequests.nodes
  const visible = ({ id, name }: typeof own) => ({ account: { id, name } })
  const nothing = { account: null }
  expect(await seen(bob)).toMatchObject([nothing, visible(own)])
  expect(await seen(admin)).toMatchObject([visible(foreign), visible(own)])

  const until = async ({ token }: { token: string }) => {
    const answer = await fetch(stand.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: ended }),
    })
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    return async () => {
      for (let text = ''; ; text += (await reader.read()).value) {
        const events = [...text.matchAll(/^data: (\{.*)$/gm)].flatMap(
          ([, data]) => JSON.parse(data!).data.requestEvents.events,
        )
        if (events.length < 2) continue
        await reader.cancel()
        return events.map(({ request }) => request)
      }
    }
  }
  const [bobs, adas] = [await until(bob), await until(admin)]
  for (const one of requests)
    stand.live.settled({ ...settled(one), accountId: one.accountId, accountName: one.accountName })
  expect(await bobs()).toMatchObject([nothing, visible(own)])
  expect(await adas()).toMatchObject([visible(foreign), visible(own)])
})
