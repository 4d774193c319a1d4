import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Events, ReportEventFailure } from '../events.ts'
import { createListeners } from '../memory/events.ts'

export interface RedisEventParts {
  /** Publishes. */
  commands: Redis
  /** Only subscribes; nothing else uses it. */
  subscriber: Redis
  /** The prefix of every channel. */
  prefix: string
  report: ReportEventFailure
}

/**
 * Events across processes over Redis pub/sub. A message is the id of its publisher, a space and the JSON text. A process
 * delivers its own messages directly, also while Redis is away, and drops the copies that come back.
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
      // ioredis has already sent its own SUBSCRIBE; the reply to ours shows that it has been done.
      const channels = listeners.topics().map(channelOf)
      if (channels.length > 0) await subscriber.subscribe(...channels)
    } catch (error) {
      // The connection broke again; the next `ready` repeats this.
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
  // The connection is already ready here: every later `ready` follows a break.
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
          // One report for each break, not for each message.
          if (published) report(error, `publish ${topic}`)
          published = false
        },
      )
    },

    async subscribe(topic, listener) {
      const remove = listeners.add(topic, listener)
      // Also for a topic that already has listeners: the reply shows that the subscription is live.
      try {
        await subscriber.subscribe(channelOf(topic))
      } catch (error) {
        remove()
        throw error
      }
      return async () => {
        // Not awaited: the listener is already removed, and while Redis is away there is no reply.
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
