import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { ledgerDrift } from '../../server/ledger/drift.ts'
import type { RelayAppOptions } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { type Pools, startPools } from './pools.ts'

/** How an account stands, as administrators see it. */
export interface Standing {
  inFlight: number
  /** Of the state. */
  name: string
  until: string | null
  reason: string | null
  models: { model: string; until: string; reason: string }[]
}

/** Pools that are held to what faults.md asks after each case. */
export interface Watched extends Pools {
  /** An administrator's access token. */
  token: string
  /** Requests sent past `ask` that the relay has admitted. */
  admitted(more: number): void
  standing(pool: string, index?: number): Promise<Standing>
  /**
   * The invariants at the head of faults.md: nothing is in flight, a row for each request that was admitted and no other, a count for those that were not,
   * each with its attempts, and no drift. (A rejection that nobody handles fails the run by itself.)
   */
  holds(): Promise<void>
  /** Stops the relay: no socket and no timer of its own is left. */
  stop(): Promise<void>
}

const password = 'correct horse battery'

export async function startWatched(
  pools: Parameters<typeof startPools>[0],
  options: RelayAppOptions & { keyFields?: Record<string, Record<string, unknown>> } = {},
): Promise<Watched> {
  const before = resources()
  const relay = await startPools(pools, { ...options, env: { DEFAULT_ADMIN_PASSWORD: password, ...options.env } })
  const token = await signedIn(relay.app.url, 'admin', password)
  let asked = 0

  async function standings(): Promise<Map<string, Standing>> {
    const query =
      'query ($after: String) { accounts(first: 100, after: $after) { pageInfo { hasNextPage endCursor } ' +
      'edges { node { name inFlight state { name until reason models { model until reason } } } } } }'
    const found = new Map<string, Standing>()
    for (let after: string | null = null; ; ) {
      const { data } = await askGraphql(relay.app.url, query, { after }, token)
      for (const { node } of data.accounts.edges) found.set(node.name, { inFlight: node.inFlight, ...node.state })
      if (!data.accounts.pageInfo.hasNextPage) return found
      after = data.accounts.pageInfo.endCursor
    }
  }

  return {
    ...relay,
    token,
    ask(pool, request) {
      asked++
      return relay.ask(pool, request)
    },
    admitted(more) {
      asked += more
    },
    async standing(pool, index = 0) {
      return (await standings()).get(`${pool} ${index + 1}`)!
    },
    async holds() {
      const [rows, attempts] = [await relay.rows(), await relay.attempts()]
      // What was refused before any upstream was asked has no row, and is counted.
      const sum = 'SELECT SUM(`requests`) FROM `rejections`'
      const rejected = Number((await relay.app.database.select(sum))[0]?.[0] ?? 0)
      expect(rows.length + rejected).toBe(asked)
      expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(rows.length)
      expect(rows.reduce((sum, row) => sum + Number(row['attempts']), 0)).toBe(attempts.length)
      expect(rows.every((row) => Number(row['cost_nano']) >= 0)).toBe(true)
      expect(await ledgerDrift(relay.app.database)).toBe(0)
      const busy = [...(await standings())].filter(([, { inFlight }]) => inFlight !== 0)
      expect(busy).toEqual([])
      const { data } = await askGraphql(relay.app.url, '{ liveRequests { nodes { requestId } } }', {}, token)
      expect(data.liveRequests.nodes).toEqual([])
    },
    async stop() {
      await relay.stop()
      // What has been closed goes in the turns that follow.
      for (let turn = 0; turn < 100 && Object.keys(leftOver(before, resources())).length > 0; turn++) await delay(20)
      expect(leftOver(before, resources())).toEqual({})
    },
  }
}

/** What keeps the process alive, by kind. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

const watchedKinds = ['TCPSocketWrap', 'TLSWrap', 'TCPServerWrap', 'Timeout']

function leftOver(before: Map<string, number>, after: Map<string, number>): Record<string, number> {
  const more = watchedKinds.map((kind) => [kind, (after.get(kind) ?? 0) - (before.get(kind) ?? 0)] as const)
  return Object.fromEntries(more.filter(([, count]) => count > 0))
}
