import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Events, ReportEventFailure } from '../events.ts'
import { createListeners } from '../memory/events.ts'

export interface RedisEventParts {
  /** Publishes. */
  commands: Redis
  /** Only subscribes; used by nobody else. */
  subscriber: Redis
  /** Goes before every channel. */
  prefix: string
  report: ReportEventFailure
}

/**
 * Events across processes over Redis pub/sub. On the wire: the publisher's mark, a blank, the JSON text. A process hears
 * its own messages directly and drops their echo, so that they arrive also while Redis is away.
 */
export function createRedisEvents({ commands, subscriber, prefix, report }: RedisEventParts): Events {
  const origin = randomUUID()
  const listeners = createListeners(report)
  const reconnectListeners = new Set<() => void>()
  let published = true
  const channelOf = (topic: string): string => `${prefix}:events:${topic}`

  const onMessage = (channel: string, text: string): void => {
    const blank = text.indexOf(' ')
    if (!channel.startsWith(channelOf('')) || blank < 0 || text.slice(0, blank) === origin) return
    listeners.deliver(channel.slice(channelOf('').length), text.slice(blank + 1))
  }
  const onReady = async (): Promise<void> => {
    try {
      // ioredis has subscribed again already; the answer to ours says that Redis has done it.
      const channels = listeners.topics().map(channelOf)
      if (channels.length > 0) await subscriber.subscribe(...channels)
    } catch (error) {
      // Broken again; the next ready tries anew.
      return report(error, 'subscribe again')
    }
    for (const listener of reconnectListeners) {
      try {
        listener()
      } catch (error) {
        report(error, 'listener of reconnects')
      }
    }
  }
  const onReadyAgain = (): void => void onReady()
  subscriber.on('message', onMessage)
  // The connection is ready when it comes here: any later `ready` follows a break.
  subscriber.on('ready', onReadyAgain)

  return {
    publish(topic, message) {
      const text = JSON.stringify(message)
      listeners.deliver(topic, text)
      commands.publish(channelOf(topic), `${origin} ${text}`).then(
        () => {
          published = true
        },
        (error: unknown) => {
          // Once a break, not once a message.
          if (published) report(error, `publish ${topic}`)
          published = false
        },
      )
    },

    async subscribe(topic, listener) {
      const remove = listeners.add(topic, listener)
      // SUBSCRIBE again for a topic that has listeners costs nothing and its answer says that the topic is live.
      try {
        await subscriber.subscribe(channelOf(topic))
      } catch (error) {
        remove()
        throw error
      }
      return async () => {
        // Not awaited: the listener is gone already, and without a connection the answer would take until its return.
        if (remove()) void subscriber.unsubscribe(channelOf(topic)).catch(() => undefined)
      }
    },

    onReconnect(listener) {
      const entry = (): void => listener()
      reconnectListeners.add(entry)
      return () => void reconnectListeners.delete(entry)
    },

    async close() {
      subscriber.off('message', onMessage).off('ready', onReadyAgain)
      const channels = listeners.topics().map(channelOf)
      listeners.clear()
      reconnectListeners.clear()
      if (channels.length > 0) void subscriber.unsubscribe(...channels).catch(() => undefined)
    },
  }
}
