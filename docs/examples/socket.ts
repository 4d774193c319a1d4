import { type Client, createClient } from 'graphql-ws'

/** A WebSocket that opens again after every break. It asks for a token each time: an access token lives for 15 minutes. */
export function openSocket(url: string, token: () => Promise<string>): Client {
  let pongIsDue: ReturnType<typeof setTimeout>
  const socket = createClient({
    url,
    connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (tries) =>
      new Promise((done) => setTimeout(done, Math.min(500 * 2 ** tries, 10_000) * (0.5 + Math.random() / 2))),
    // A connection that died in silence is noticed by its missing pong.
    keepAlive: 10_000,
    on: {
      ping: (received) => {
        if (!received) pongIsDue = setTimeout(() => socket.terminate(), 5_000)
      },
      pong: () => clearTimeout(pongIsDue),
      closed: () => clearTimeout(pongIsDue),
    },
  })
  return socket
}
