/** People who watch: subscribers over sockets of their own, and the paced requests that they watch. */
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { smallAsk } from './asks.ts'

export const administrator = { username: 'bench', password: 'bench-password-0000', email: 'bench@example.com' }
export const watchedSecret = 'sk-watched-0000000000000000000000'

export interface Watching {
  /** Settled requests that each subscriber has heard of, the least and the most. */
  heard(): [number, number]
  sent(): number
  /** Thawed, the relay has this long to tell everybody of everything; the promise ends when it has, or when the time is over. */
  told(longestMs?: number): Promise<void>
  /** The paced requests go on only while the relay may run. */
  pace(isOn: boolean): void
}

const document =
  'subscription ($key: ID!) { requestSettled(apiKeyId: $key) { gap { dropped } settled { requestId model outcome durationMs inputTokens outputTokens cost } } }'

/** `count` subscribers to the requests of one key, and `perSecond` requests of it. */
export async function watch(port: number, count: number, perSecond: number): Promise<Watching> {
  const { signIn } = await ask<{ signIn: { accessToken: string } }>(
    port,
    'mutation ($in: SignInInput!) { signIn(input: $in) { ... on SignInSuccess { accessToken } } }',
    { in: { username: administrator.username, password: administrator.password } },
  )
  const token = signIn.accessToken
  const { apiKeys } = await ask<{ apiKeys: { edges: { node: { id: string; name: string } }[] } }>(
    port,
    '{ apiKeys(first: 10) { edges { node { id name } } } }',
    {},
    token,
  )
  const id = apiKeys.edges.find(({ node }) => node.name === 'watched')?.node.id ?? ''
  const sockets = Array.from({ length: count / perSocket }, () => subscribe(port, token, id))
  const heard = (await Promise.all(sockets)).flat()
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const body = smallAsk()
  let sent = 0
  let underWay = 0
  let isOn = false
  const send = () => {
    // A relay that stands still is not given a heap of work for its next turn.
    if (!isOn || underWay >= 16) return
    underWay++
    sent++
    const headers = { 'content-type': 'application/json', 'x-api-key': watchedSecret, 'content-length': body.length }
    const sending = request({
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/claude-code/v1/messages',
      headers,
    })
    sending.on('response', (response) => response.resume())
    sending.on('close', () => underWay--)
    sending.on('error', () => {})
    sending.end(body)
  }
  setInterval(send, 1000 / perSecond).unref()
  const fewest = () => Math.min(...heard.map((one) => one.settled))
  return {
    heard: () => [fewest(), Math.max(...heard.map((one) => one.settled))],
    sent: () => sent,
    async told(longestMs = 5000) {
      const until = performance.now() + longestMs
      while (fewest() < sent && performance.now() < until) await delay(50)
    },
    pace(on) {
      isOn = on
    },
  }
}

/** A user may hold so many sockets and no more: each carries several subscriptions. */
const perSocket = 10

async function subscribe(port: number, accessToken: string, key: string): Promise<{ settled: number }[]> {
  const heard = Array.from({ length: perSocket }, () => ({ settled: 0 }))
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws')
  const say = (message: object) => socket.send(JSON.stringify(message))
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code) => reject(new Error(`a subscriber's socket was closed with ${code}`)))
    socket.on('open', () => say({ type: 'connection_init', payload: { accessToken } }))
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString())
      if (message.type === 'connection_ack') {
        const payload = { query: document, variables: { key } }
        for (const index of heard.keys()) say({ id: String(index), type: 'subscribe', payload })
        resolve()
      } else if (message.type === 'ping') say({ type: 'pong' })
      else if (message.type === 'next') {
        for (const event of message.payload.data.requestSettled) if (event.settled) heard[message.id]!.settled++
      } else if (message.type === 'error') reject(new Error(JSON.stringify(message.payload)))
    })
  })
  // The subscriptions follow the acknowledgement: give them their turn before anything is sent.
  await delay(50)
  return heard
}

async function ask<Data>(port: number, query: string, variables: object, token?: string): Promise<Data> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      origin: `http://127.0.0.1:${port}`,
      'x-graphql-yoga-csrf': '1',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown }
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}
