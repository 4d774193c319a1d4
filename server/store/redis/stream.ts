import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisPubSub } from 'graphql-redis-subscriptions'
import type { Redis } from 'ioredis'
import type { ReportEventFailure } from '../events.ts'
import type { Stream, StreamEntry, StreamListener } from '../stream.ts'
import { createScript } from './script.ts'

export interface RedisStreamParts {
  commands: Redis
  /** Only subscribes. */
  subscriber: Redis
  /** The prefix of every key and channel. */
  prefix: string
  name: string
  report: ReportEventFailure
  /** About how many batches the stream keeps. */
  keep?: number
  /** Batches that a new process reads first. */
  seed?: number
  /** How often to look for batches whose wake-up message was lost. */
  pollMs?: number
}

/**
 * KEYS stream, last number of this process. ARGV batch, number, how many to keep, channel.
 * The number shows that a batch was already appended, when it is sent again because the reply was lost.
 */
const appendOnce = `
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[2]) then return false end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'b', ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'EX', 86400)
redis.call('PUBLISH', ARGV[4], '1')
return id`

const pageSize = 200
const firstPauseMs = 50
const longestPauseMs = 2_000

/** A capped Redis stream. Pub/sub only wakes the readers: after a lost message they find the batch at the next poll. */
export async function openRedisStream<T>(parts: RedisStreamParts): Promise<Stream<T>> {
  const { commands, report } = parts
  const keep = parts.keep ?? 8_192
  const key = `{${parts.prefix}}:stream:${parts.name}`
  const marker = `${key}:from:${randomUUID()}`
  const channel = `${parts.prefix}:stream:${parts.name}`
  const script = createScript(commands, appendOnce)
  const wakeUps = new RedisPubSub({ publisher: commands, subscriber: parts.subscriber })
  let listener: StreamListener<T> | null = null
  let last = '0-0'
  /** True after a failure: if the entry that was read last is no longer there, batches were lost. */
  let isDoubtful = false
  let failed = false
  let closed = false
  let number = 0
  let reading: Promise<void> | null = null
  let again = false

  function catchUp(): Promise<void> {
    again = true
    reading ??= readOn().finally(() => {
      reading = null
    })
    return reading
  }

  async function readOn(): Promise<void> {
    try {
      while (again && listener && !closed) {
        again = false
        if (isDoubtful) await makeSure()
        for (let full = true; full && !closed; ) {
          const entries = await commands.xrange(key, `(${last}`, '+', 'COUNT', pageSize)
          for (const entry of entries) hand(entry)
          full = entries.length === pageSize
        }
        failed = false
      }
    } catch (error) {
      isDoubtful = true
      // One report for each break, not for each poll.
      if (!failed && !closed) report(error, `reading the stream ${parts.name}`)
      failed = true
    }
  }

  async function makeSure(): Promise<void> {
    if (last !== '0-0' && (await commands.xrange(key, last, last)).length === 0) {
      // The ids may have started again from low numbers: continue from the newest.
      const [newest] = await commands.xrevrange(key, '+', '-', 'COUNT', 1)
      last = newest?.[0] ?? '0-0'
      listener?.onLoss()
    }
    isDoubtful = false
  }

  function hand(entry: [id: string, fields: string[]]): void {
    last = entry[0]
    const decoded = decode<T>(entry)
    if (decoded) listener?.onBatch(decoded)
  }

  const onReady = (): void => {
    isDoubtful = true
    void catchUp()
  }
  commands.on('ready', onReady)
  const subscription = await wakeUps.subscribe(channel, () => void catchUp())
  const poll = setInterval(() => void catchUp(), parts.pollMs ?? 1_000)
  poll.unref()

  return {
    isShared: true,

    async follow(next) {
      const found: [string, string[]][] = []
      const wanted = parts.seed ?? 2_000
      for (let end = '+'; found.length < wanted; ) {
        const page = await commands.xrevrange(key, end, '-', 'COUNT', pageSize)
        found.push(...page)
        if (page.length < pageSize) break
        end = `(${page.at(-1)?.[0]}`
      }
      listener = next
      for (const entry of found.reverse()) hand(entry)
      await catchUp()
    },

    async append(batch) {
      const text = JSON.stringify(batch)
      number++
      for (let pauseMs = firstPauseMs; !closed; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        try {
          await script([key, marker], [text, number, keep, channel])
          // Our own wake-up also comes over Redis, but the batch can be read now.
          return void catchUp()
        } catch (error) {
          if (pauseMs === firstPauseMs) report(error, `appending to the stream ${parts.name}`)
          await sleep(pauseMs, undefined, { ref: false })
        }
      }
    },

    async read(from, count) {
      const found = await commands.xrange(key, from, '+', 'COUNT', count + 1)
      if (found[0]?.[0] !== from) return null
      return found.map((entry) => decode<T>(entry)).filter((entry) => entry !== null)
    },

    async close() {
      closed = true
      listener = null
      clearInterval(poll)
      commands.off('ready', onReady)
      wakeUps.unsubscribe(subscription)
      await reading
    },
  }
}

function decode<T>([id, fields]: [id: string, fields: string[]]): StreamEntry<T> | null {
  try {
    return { id, batch: JSON.parse(fields[1] ?? '') as T }
  } catch {
    // An entry of another program.
    return null
  }
}
