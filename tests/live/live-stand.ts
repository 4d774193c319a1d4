import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { type HubParts, type LiveHub, openLiveHub } from '../../server/live/hub.ts'
import type {
  Gap,
  LiveBatch,
  LiveEvent,
  LiveMessage,
  LiveRequest,
  SettledRequest,
} from '../../server/live/live-events.ts'
import { createMemoryStream } from '../../server/store/memory/stream.ts'
import { openRedisStream } from '../../server/store/redis/stream.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { connect } from '../store/twins.ts'

export const never = (error: unknown): never => {
  throw error
}

export const admin = { viewer: { userId: null } }

export type HubOptions = Partial<Omit<HubParts, 'stream'>> & { keep?: number; url?: string }

/** Transports through which hubs reach each other. A memory has one hub only. */
export type OpenPlace = () => { name: string; join(options?: HubOptions): Promise<LiveHub> }

const defaults = (options: HubOptions): Omit<HubParts, 'stream'> => ({
  dayAt: createZoneDays('UTC'),
  now: Date.now,
  seed: async () => ({ byUser: new Map(), checkpoints: new Map() }),
  report: never,
  batchMs: 5,
  ...options,
})

export const memoryTransport: OpenPlace = () => {
  let hub: Promise<LiveHub> | undefined
  return {
    name: 'memory',
    join(options = {}) {
      const parts = defaults(options)
      hub ??= openLiveHub({ ...parts, stream: createMemoryStream<LiveBatch>({ now: parts.now }) }).then(closeLater)
      return hub
    },
  }
}

/** Also on a Redis behind another address; `forget` takes the stream away, as a Redis without persistence does. */
export const redisTransport = () => {
  const prefix = `test-${randomUUID()}`
  return {
    name: 'redis',
    async join(options: HubOptions = {}) {
      const { commands, subscriber } = await connect(prefix, options.url)
      const parts = defaults(options)
      const stream = await openRedisStream<LiveBatch>({
        commands,
        subscriber,
        prefix,
        name: 'live',
        report: parts.report,
        keep: options.keep,
      })
      return closeLater(await openLiveHub({ ...parts, stream }))
    },
    async forget() {
      const { commands } = await connect(prefix)
      await commands.del(`{${prefix}}:stream:live`)
    },
  }
}

function closeLater(hub: LiveHub): LiveHub {
  onTestFinished(() => hub.close())
  return hub
}

let made = 0

export function request(more: Partial<LiveRequest> = {}): LiveRequest {
  made++
  return {
    requestId: `req_${made}`,
    startedAtMs: Date.now(),
    apiKeyId: 1,
    apiKeyName: 'key',
    userId: 0,
    groupId: 1,
    accountId: null,
    accountName: null,
    model: 'claude-sonnet-4-5',
    stream: true,
    attempt: 0,
    queuePosition: null,
    firstByteMs: null,
    inputTokens: 0,
    outputTokens: 0,
    ...more,
  }
}

export function settled(of: LiveRequest, more: Partial<SettledRequest> = {}): SettledRequest {
  const { requestId, startedAtMs, apiKeyId, apiKeyName, userId, groupId, model, stream } = of
  return {
    requestId,
    startedAtMs,
    apiKeyId,
    apiKeyName,
    userId,
    groupId,
    accountId: 1,
    accountName: 'account',
    model,
    stream,
    outcome: 'completed',
    httpStatus: 200,
    errorType: '',
    attemptCount: 1,
    firstByteMs: 10,
    durationMs: 20,
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 2,
    cacheWrite5mTokens: 1,
    cacheWrite1hTokens: 0,
    thinkingTokens: 0,
    billedNano: 0,
    costNano: 1_926_000,
    record: null,
    ...more,
  }
}

/** An event as its reader has it: with the cursor of its message. A gap stands before the events of its message. */
export type Seen = LiveEvent & { cursor: string; gap?: Gap }

export const seenIn = ({ cursor, gap, events }: LiveMessage): Seen[] => [
  ...(gap ? [{ cursor, gap }] : []),
  ...events.map((event) => ({ ...event, cursor })),
]

/** Reads messages until `enough` says so; gives all events. */
export async function collect(
  iterator: AsyncIterator<LiveMessage>,
  enough: (events: Seen[]) => boolean,
): Promise<Seen[]> {
  const events: Seen[] = []
  while (!enough(events)) {
    const { value, done } = await iterator.next()
    if (done) break
    events.push(...seenIn(value))
  }
  return events
}

/** The whole messages among the first `atMost` events: a reader resumes behind a message. */
export function wholeMessages<Event extends { cursor: string }>(events: readonly Event[], atMost: number): Event[] {
  let end = Math.min(atMost, events.length)
  while (end > 0 && end < events.length && events[end]?.cursor === events[end - 1]?.cursor) end--
  return events.slice(0, end)
}

export const settledIds = (events: LiveEvent[]): string[] =>
  events.flatMap(({ settled }) => (settled ? [settled.requestId] : []))
