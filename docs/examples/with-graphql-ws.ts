import type { Client } from 'graphql-ws'
import { type Message, query } from './request-events.ts'
import { subscribeAndResume } from './resume.ts'

export function follow(socket: Client, after: string, handle: (message: Message) => void): () => void {
  return subscribeAndResume<{ requestEvents: Message }>(
    socket,
    { query, variables: { after } },
    {
      next({ data, errors }) {
        if (data) handle(data.requestEvents)
        else console.error(errors)
      },
      error: console.error,
      complete() {},
    },
  )
}
