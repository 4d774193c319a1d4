import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import type { Client as Socket } from 'graphql-ws'
import { type Message, query } from './request-events.ts'
import { subscribeAndResume } from './resume.ts'

export const createUrqlClient = (url: string, token: () => string, socket: Socket): Client =>
  new Client({
    url,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${token()}` } }),
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({ unsubscribe: subscribeAndResume(socket, { query, variables }, sink) }),
        }),
      }),
    ],
  })

export function follow(client: Client, after: string, handle: (message: Message) => void): () => void {
  const { unsubscribe } = client
    .subscription<{ requestEvents: Message }>(query, { after })
    .subscribe(({ data, error }) => {
      if (data) handle(data.requestEvents)
      else if (error) console.error(error)
    })
  return unsubscribe
}
