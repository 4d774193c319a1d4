import { expect, onTestFinished, test } from 'vitest'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'

const password = 'correct horse battery'
const url = 'http://127.0.0.1:9'

/** One process; on MySQL and Redis two that share them. */
async function startProcesses(): Promise<RelayApp[]> {
  let env: Record<string, string> = { DEFAULT_ADMIN_PASSWORD: password }
  if (engines === 'services') {
    const address = await newDatabaseAddress()
    onTestFinished(() => address.drop())
    const MASTER_SECRET = 'a secret of thirty-two characters'
    env = { ...env, DATABASE_URL: address.url, REDIS_URL: redisUrl, MASTER_SECRET }
  }
  const processes: RelayApp[] = []
  for (let count = engines === 'services' ? 2 : 1; count > 0; count--) {
    const accounts = Array.from({ length: 20 }, () => ({ url }))
    const relay = await startRelayApp({ accounts, env })
    onTestFinished(relay.stop)
    processes.push(relay)
  }
  return processes
}

/** The names of the accounts that live events are about, as they come. */
async function watchAccounts(relay: RelayApp, token: string): Promise<string[]> {
  const names: string[] = []
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const response = await fetch(`${relay.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: 'subscription { accountEvents { events { ... on AccountChanged { account { name } } } } }',
    }),
    signal: stop.signal,
  })
  async function read(): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
      for (const [, name] of decoder.decode(chunk).matchAll(/"name":"([^"]+)"/g)) names.push(name!)
  }
  read().catch(() => {})
  return names
}

test('one edit among 20 accounts makes one live event in every process, and an edit of their group none for each account', async () => {
  const processes = await startProcesses()
  const [relay] = processes
  const token = await signedIn(relay!.app.url, 'admin', password)
  const watched = await Promise.all(processes.map((process) => watchAccounts(process, token)))
  const query = '{ groups { nodes: edges { node { id } } } accounts(first: 100) { edges { node { id name } } } }'
  const { data } = await askGraphql(relay!.app.url, query, {}, token)
  const idOf = (name: string): string =>
    data.accounts.edges.find(({ node }: { node: { name: string } }) => node.name === name).node.id
  const edit = (verb: 'Account' | 'Group', input: object) =>
    askGraphql(
      relay!.app.url,
      `mutation ($input: Update${verb}Input!) { update${verb}(input: $input) { __typename } }`,
      { input },
      token,
    )
  const marker = idOf('account 20')
  /** Renames the last account until every process has heard the name: what was published before it has come, too. */
  const allHeard = (name: string) =>
    expect
      .poll(async () => {
        await edit('Account', { id: marker, name })
        return watched.every((names) => names.includes(name))
      })
      .toBe(true)

  await allHeard('marker 1')
  expect((await edit('Account', { id: idOf('account 7'), priority: 7 })).data.updateAccount.__typename).toBe(
    'UpdateAccountSuccess',
  )
  await edit('Group', { id: data.groups.nodes[0].node.id, name: 'another name', enabled: false })
  await allHeard('marker 2')
  for (const names of watched) expect(names.filter((name) => name.startsWith('account'))).toEqual(['account 7'])
})
