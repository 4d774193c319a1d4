import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSchema, createYoga } from 'graphql-yoga'
import { expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type Enveloped, openSocketDoor, type SocketLimits } from '../../server/graphql/server/websocket.ts'
import { createClientAddress } from '../../server/http/client-address.ts'
import type { Viewer } from '../../server/identity/sessions.ts'
import type { LiveHub } from '../../server/live/hub.ts'
import { createMemoryEvents } from '../../server/store/memory/events.ts'
import { memoryTransport, never } from '../live/live-stand.ts'

interface StandContext extends Record<string, unknown> {
  viewer: Viewer
}

/** The socket door over a small schema, with a hub behind it (or the one given: processes share a place). Tokens are user numbers, `1:2` user and session. */
export async function startSocketStand(
  options: { limits?: Partial<SocketLimits>; ringSlots?: number; hub?: LiveHub } = {},
) {
  const hub: LiveHub =
    options.hub ??
    (await memoryTransport().join({ ringLimits: { slots: options.ringSlots ?? 32_768, bytes: 16 * 1024 * 1024 } }))
  const events = createMemoryEvents(never)
  const lifetimes = new Map<string, number>()
  const failures: unknown[] = []
  /** Sessions that ended; null: the database is away. */
  const database: { over: Set<number> | null } = { over: new Set() }
  const schema = createSchema<StandContext>({
    typeDefs: `
      type Query { ok: Boolean! }
      type Mutation { change: Boolean! }
      type Settled { requestId: String! model: String! httpStatus: Int! durationMs: Int! costNano: Float! apiKeyName: String! }
      type Gap { dropped: Int }
      type LiveEvent { settled: Settled }
      type LiveEvents { cursor: String! gap: Gap events: [LiveEvent!]! }
      type Subscription { live(after: String): LiveEvents! fails: Int! }
    `,
    resolvers: {
      Subscription: {
        live: {
          subscribe: (_root: unknown, { after }: { after?: string }, { viewer }: StandContext) =>
            hub.events({ viewer: { userId: null } }, after, viewer),
          resolve: (message: unknown) => message,
        },
        fails: { subscribe: () => Promise.reject(new Error('secret of the database')) },
      },
    },
  })
  const yoga = createYoga<object, StandContext>({ schema, logging: false })
  const door = await openSocketDoor({
    enveloped: yoga.getEnveloped as unknown as Enveloped,
    events,
    live: hub,
    origins: () => ['https://relay.example'],
    clientAddress: createClientAddress(['127.0.0.1']),
    now: Date.now,
    report: (error) => void failures.push(error),
    limits: options.limits,
    sessions: {
      async viewerOf(token) {
        const [userId = 0, sessionId = 1] = token.split(':').map(Number)
        if (!(userId > 0)) return null
        const expiresAtMs = Date.now() + (lifetimes.get(token) ?? 60_000)
        return { userId, sessionId, username: 'u', role: 'admin', mustChangePassword: false, expiresAtMs }
      },
      async standing(ids) {
        const { over } = database
        if (over === null) throw new Error('the database is away')
        return new Map(ids.filter((id) => !over.has(id)).map((id) => [id, 'admin' as const]))
      },
    },
  })
  const server = createServer((req, res) => void yoga(req, res))
  server.on('upgrade', door.upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await door.close()
    expect(failures).toEqual([])
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { hub, events, door, port, lifetimes, database, failures }
}

export type Message = { type: string; id?: string; payload?: unknown }

/** A client that speaks the protocol by hand. */
export function openSocket(port: number, options: { protocol?: string; origin?: string; from?: string } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, options.protocol ?? 'graphql-transport-ws', {
    ...(options.origin !== undefined && { origin: options.origin }),
    ...(options.from !== undefined && { headers: { 'x-forwarded-for': options.from } }),
  })
  const messages: Message[] = []
  const wakers = new Set<() => void>()
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)))
  const refused = new Promise<number>((resolve) => {
    socket.once('unexpected-response', (_request: unknown, response: IncomingMessage) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
  })
  socket.on('error', () => {})
  socket.on('message', (data) => {
    messages.push(JSON.parse((data as Buffer).toString()) as Message)
    for (const wake of wakers) wake()
    wakers.clear()
  })
  return {
    socket,
    messages,
    /** The code of the close. */
    closed,
    /** The status of an upgrade that was refused. */
    refused,
    send: (message: object) => socket.send(JSON.stringify(message)),
    async signIn(token = '1') {
      await once(socket, 'open')
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }))
    },
    subscribe: (query: string, id = '1', variables: object = {}) =>
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } })),
    async until<Found>(find: (messages: Message[]) => Found | undefined | false): Promise<Found> {
      for (;;) {
        const found = find(messages)
        if (found) return found
        await new Promise<void>((resolve) => wakers.add(resolve))
      }
    },
  }
}

export const liveQuery =
  'subscription ($after: String) { live(after: $after) { cursor gap { dropped } events { settled { requestId model httpStatus durationMs costNano apiKeyName } } } }'
