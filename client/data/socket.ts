import type { SubscriptionForwarder } from '@urql/core'
import { createClient } from 'graphql-ws'
import { type Ref, shallowRef } from 'vue'
import type { Session } from '../session.ts'
import { resumable } from './resume.ts'

export interface Socket {
  forward: SubscriptionForwarder
  /** `idle` while nobody subscribes; `lost` from a break until the next acknowledgement. */
  status: Readonly<Ref<'idle' | 'connecting' | 'open' | 'lost'>>
  /** Calls the listener each time a lost connection is back: events are resumed by their cursor, the rest is read again. */
  onReturn: (listener: () => void) => () => void
  close: () => void
}

/** How long the connection stays without a subscriber: pages change. */
const lazyMs = 3000

/** Live events: one WebSocket for all subscriptions of this tab, reconnected as long as there are any. */
export function createSocket(session: Session, url: string): Socket {
  const status = shallowRef<'idle' | 'connecting' | 'open' | 'lost'>('idle')
  const listeners = new Set<() => void>()
  let subscribers = 0
  let refused = false
  let pongDue: ReturnType<typeof setTimeout> | undefined

  const client = createClient({
    url,
    lazyCloseTimeout: lazyMs,
    keepAlive: 12_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => session.user.value !== undefined,
    retryWait: (tries) =>
      new Promise((done) => setTimeout(done, Math.min(500 * 2 ** tries, 10_000) * (0.5 + Math.random() / 2))),
    connectionParams: async () => {
      // 4403: the session behind the token ended; only a new token can open the next socket.
      if (refused) await session.renew()
      refused = false
      return { authorization: `Bearer ${await session.token()}` }
    },
    on: {
      connecting: () => {
        if (status.value !== 'lost') status.value = 'connecting'
      },
      connected: () => {
        const wasLost = status.value === 'lost'
        status.value = 'open'
        if (wasLost) for (const listener of listeners) listener()
      },
      closed: (event) => {
        clearTimeout(pongDue)
        const { code, wasClean } = event as CloseEvent
        refused = code === 4403 || code === 4401
        status.value = wasClean && code === 1000 ? 'idle' : 'lost'
      },
      // A connection that died silently is noticed by its missing pong.
      ping: (received) => {
        if (!received) pongDue = setTimeout(() => client.terminate(), 6000)
      },
      pong: (received) => {
        if (received) clearTimeout(pongDue)
      },
    },
  })

  return {
    status,
    forward: ({ query, variables }) => ({
      subscribe: (sink) => {
        subscribers++
        let isOver = false
        const end = (): void => {
          if (!isOver) subscribers--
          isOver = true
          // The next page subscribes within this time. Without a subscriber nothing reconnects, and nothing is shown as lost.
          setTimeout(() => {
            if (subscribers === 0 && status.value === 'lost') status.value = 'idle'
          }, lazyMs)
        }
        const resume = resumable(variables as Record<string, unknown> | undefined)
        const stop = client.subscribe(
          { query: query ?? '', variables: resume.variables },
          {
            next: (result) => {
              resume.onData(result.data)
              sink.next(result as Parameters<typeof sink.next>[0])
            },
            error: (error) => {
              end()
              sink.error(error)
            },
            complete: () => {
              end()
              sink.complete()
            },
          },
        )
        return {
          unsubscribe: () => {
            stop()
            end()
          },
        }
      },
    }),
    onReturn: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => void client.dispose(),
  }
}
