import { expect, onTestFinished, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { startPools } from './pools.ts'

test('a group that is switched off serves none of its keys, at once; others go on, and it serves again when it is on', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const { url } = upstream
  const env = { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' }
  const relay = await startPools({ off: [{ url }], on: [{ url }] }, { env })
  onTestFinished(relay.stop)
  const admin = await signedIn(relay.app.url, 'admin', 'correct horse battery')
  const { data } = await askGraphql(relay.app.url, '{ groups { edges { node { id name } } } }', {}, admin)
  const { id } = data.groups.edges.find(({ node }: { node: { name: string } }) => node.name === 'off').node
  const turn = (enabled: boolean) =>
    askGraphql(
      relay.app.url,
      'mutation ($input: UpdateGroupInput!) { updateGroup(input: $input) { ... on UpdateGroupSuccess { group { enabled } } } }',
      { input: { id, enabled } },
      admin,
    )
  expect((await relay.ask('off')).status).toBe(200)

  expect((await turn(false)).data.updateGroup.group).toEqual({ enabled: false })
  const refused = await relay.ask('off')
  expect(refused.status).toBeGreaterThanOrEqual(500)
  expect(JSON.parse(refused.text)).toMatchObject({ type: 'error' })
  expect((await relay.ask('on')).status).toBe(200)
  expect(upstream.requests.length).toBe(2)

  await turn(true)
  expect((await relay.ask('off')).status).toBe(200)
})
