import type { IncomingMessage, ServerResponse } from 'node:http'
import { createYoga } from 'graphql-yoga'
import type { ApiKey } from '../../keys/api-key.ts'
import { presentedSecrets } from '../../keys/presented-secrets.ts'
import { networkOf } from '../../networks.ts'
import { createRate } from '../../rate.ts'
import type { RequestId } from '../../request-ids.ts'
import { acceptsResponse, notAcceptable, refusesSubscriptionsAsJson } from '../server/accept.ts'
import { readJsonBody } from '../server/json-body.ts'
import { createErrorMask } from '../server/masked-errors.ts'
import { documentLimits } from '../server/query-limits.ts'
import { refuse } from '../server/refuse.ts'
import { mayStream } from '../server/sse-gate.ts'
import type { KeyContext, KeyHolderParts } from './builder.ts'
import { buildKeyHolderSchema } from './schema.ts'

const keyHolderPath = '/graphql/key'

/** Streams of events of one key at once, in this process. */
const streamsPerKey = 5

interface Initial {
  key: ApiKey
  keyNow: KeyContext['keyNow']
}

/**
 * POST /graphql/key: what the holder of an API key may read. The key comes in a header, as for the relay. An unknown key and a
 * missing one get the same response. After ten of them an address is refused until its minute is over, even with a right key,
 * so that keys cannot be guessed. A key may ask sixty times a minute.
 */
export function createKeyHolderDoor(parts: KeyHolderParts) {
  const { keys, now, log } = parts
  const wrong = createRate<string>({ burst: 10, perSecond: 10 / 60, now })
  const asked = createRate<number>({ burst: 60, perSecond: 1, now })
  const streams = new Map<number, number>()
  const yoga = createYoga<Initial, KeyContext>({
    schema: buildKeyHolderSchema(),
    graphqlEndpoint: keyHolderPath,
    context: ({ key, keyNow }) => ({ parts, key, keyNow }),
    plugins: [...documentLimits(), refusesSubscriptionsAsJson],
    maskedErrors: { maskError: createErrorMask(log, () => '') },
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
  })

  function findKey(req: IncomingMessage): Initial | 'unknown' | 'too_many' {
    const network = networkOf(parts.clientAddress(req))
    if (!wrong.mayAllow(network)) return 'too_many'
    for (const secret of presentedSecrets(req.headers)) {
      const keyNow = () => keys.find(secret)
      const key = keyNow()
      if (key) return { key, keyNow }
    }
    wrong.allows(network)
    return 'unknown'
  }

  async function respond(req: IncomingMessage, res: ServerResponse, id: RequestId): Promise<void> {
    res.setHeader('x-request-id', id.text)
    res.setHeader('cache-control', 'no-store')
    res.setHeader('x-content-type-options', 'nosniff')
    if (req.method !== 'POST') return refuse(res, { status: 405, code: 'POST_ONLY', message: 'Use POST.' })
    if (!acceptsResponse(req.headers.accept)) return refuse(res, notAcceptable)
    // A proxy that buffers would hold events back.
    res.setHeader('x-accel-buffering', 'no')
    const found = findKey(req)
    if (found === 'too_many') return refuse(res, tooManyWrong)
    if (found === 'unknown') {
      res.setHeader('www-authenticate', 'Bearer')
      return refuse(res, unknownKey)
    }
    if (!asked.allows(found.key.id)) return refuse(res, tooManyAsked)
    const read = await readJsonBody(req, () => res.writeContinue())
    if ('status' in read) return refuse(res, read)
    if (mayStream(req, (read.body as { query?: unknown }).query) && !admitStream(res, found.key.id)) {
      return refuse(res, tooManyStreams)
    }
    await yoga(Object.assign(req, { body: read.body }), res, found)
  }

  function admitStream(res: ServerResponse, keyId: number): boolean {
    const open = streams.get(keyId) ?? 0
    if (open >= streamsPerKey) return false
    streams.set(keyId, open + 1)
    res.once('close', () => {
      const left = (streams.get(keyId) ?? 1) - 1
      if (left === 0) streams.delete(keyId)
      else streams.set(keyId, left)
    })
    return true
  }

  /** Never throws: errors are logged and answered with a 500. */
  return (req: IncomingMessage, res: ServerResponse, id: RequestId): void => {
    respond(req, res, id).catch((error: unknown) => {
      log.error({ err: error, requestId: id.text }, 'a request of a key holder failed')
      if (res.headersSent) res.destroy()
      else refuse(res, { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Something went wrong on our side.' })
    })
  }
}

const unknownKey = {
  status: 401,
  code: 'KEY_UNKNOWN',
  message: 'Send an API key of this relay, as `Authorization: Bearer KEY` or `x-api-key: KEY`.',
}
const tooManyWrong = {
  status: 429,
  code: 'TOO_MANY_UNKNOWN_KEYS',
  message: 'Too many unknown keys came from this address. Try again in a minute.',
  retryAfterS: 60,
}
const tooManyAsked = {
  status: 429,
  code: 'TOO_MANY_OPERATIONS',
  message: 'A key may ask 60 times a minute. Subscribe to `myKeyEvents` for what happens as it happens.',
}
const tooManyStreams = { status: 429, code: 'TOO_MANY_STREAMS', message: 'Too many streams of events at once.' }
