import type { IncomingMessage, ServerResponse } from 'node:http'
import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention'
import { createYoga, type Plugin } from 'graphql-yoga'
import { sendAsset } from '../../http/asset.ts'
import { networkOf } from '../../networks.ts'
import { createRate } from '../../rate.ts'
import type { RequestId } from '../../request-ids.ts'
import { buildSchema } from '../schema.ts'
import { acceptsResponse, notAcceptable, refusesSubscriptionsAsJson } from './accept.ts'
import { bearerToken, carriesBearer } from './bearer-token.ts'
import { type Caller, type Context, createContext } from './context.ts'
import { createGraphiqlPage } from './graphiql-page.ts'
import { readJsonBody } from './json-body.ts'
import { createErrorMask } from './masked-errors.ts'
import type { GraphqlParts } from './parts.ts'
import { queryLimits } from './query-limits.ts'
import { readRefreshCookie, refreshCookie } from './refresh-cookie.ts'
import { refuse } from './refuse.ts'
import { createSseGate } from './sse-gate.ts'

const graphqlPath = '/graphql'

/**
 * The GraphQL door. `handle` answers everything at /graphql: POST with JSON, and GraphiQL for browsers; `enveloped` is for
 * sockets (websocket.ts), whose initial context brings `viewer` and `request`.
 */
export function createGraphql(parts: GraphqlParts) {
  const schema = buildSchema()
  /**
   * The request of each error, for the log. Not an AsyncLocalStorage: once one is used, every promise of the process gets
   * slower, those of the relay too.
   */
  const requestIds = new WeakMap<object, string>()
  const marksErrors: Plugin<Context> = {
    onExecute: ({ args }) => ({
      onExecuteDone({ result }) {
        if (!('errors' in result)) return
        const { requestId } = args.contextValue.actor
        for (const error of result.errors ?? []) requestIds.set(error, requestId)
      },
    }),
  }
  const yoga = createYoga<InitialContext, Context>({
    schema,
    graphqlEndpoint: graphqlPath,
    context: (initial) => createContext(parts, callerOf(initial, parts)),
    plugins: [
      useCSRFPrevention({ requestHeaders: ['x-graphql-yoga-csrf'] }) as Plugin,
      ...queryLimits(),
      marksErrors,
      refusesSubscriptionsAsJson,
    ],
    maskedErrors: { maskError: createErrorMask(parts.log, (error) => requestIds.get(error) ?? '') },
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
  })
  const streams = createSseGate(parts)
  const graphiqlPage = createGraphiqlPage(graphqlPath)
  // A page asks twice before somebody is signed in, and an office may have one address.
  const strangers = createRate<string>({ burst: 200, perSecond: 10, now: parts.now })
  const mayAskAsStranger = (req: IncomingMessage) => strangers.allows(networkOf(parts.clientAddress(req)))

  async function respond(req: IncomingMessage, res: ServerResponse, id: RequestId): Promise<void> {
    res.setHeader('x-request-id', id.text)
    res.setHeader('cache-control', 'no-store')
    res.setHeader('x-content-type-options', 'nosniff')
    if (req.method === 'GET' || req.method === 'HEAD') return showPage(req, res)
    if (req.method !== 'POST') return refuse(res, { status: 405, code: 'POST_ONLY', message: 'Use POST.' })
    if (!acceptsResponse(req.headers.accept)) return refuse(res, notAcceptable)
    // A proxy that buffers would hold events back.
    res.setHeader('x-accel-buffering', 'no')
    const token = bearerToken(req.headers.authorization)
    if (token === null && !mayAskAsStranger(req)) return refuse(res, tooManyOfStranger)
    const viewer = token === null ? null : await parts.sessions.viewerOf(token)
    // Price files are large, and only administrators import them.
    const limitBytes = viewer?.role === 'admin' ? adminBodyBytes : undefined
    const read = await readJsonBody(req, () => res.writeContinue(), limitBytes)
    if ('status' in read) return refuse(res, read)
    if (token !== null && viewer === null && !mayAskAsStranger(req)) return refuse(res, tooManyOfStranger)
    if (viewer === null && carriesBearer(req.headers.authorization)) {
      res.setHeader('www-authenticate', 'Bearer error="invalid_token"')
      return refuse(res, badToken)
    }
    if (!streams.admit(req, res, viewer, (read.body as { query?: unknown }).query)) {
      return refuse(res, { status: 429, code: 'TOO_MANY_STREAMS', message: 'Too many streams of events at once.' })
    }
    const caller: Caller = {
      viewer,
      clientIp: parts.clientAddress(req),
      userAgent: req.headers['user-agent'] ?? '',
      requestId: id.text,
      refreshToken: readRefreshCookie(req.headers.cookie),
      setRefreshCookie: (token) => {
        if (!res.headersSent) res.setHeader('set-cookie', refreshCookie(token, cameByHttps(req)))
      },
    }
    await yoga(Object.assign(req, { body: read.body }), res, { caller })
  }

  async function showPage(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!/\btext\/html\b/.test(req.headers.accept ?? '') || req.url?.includes('?')) {
      return refuse(res, { status: 405, code: 'POST_ONLY', message: 'Queries are sent by POST.' })
    }
    // The page has its scripts inside and loads nothing.
    res.setHeader(
      'content-security-policy',
      "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; form-action 'none'",
    )
    sendAsset(req, res, await graphiqlPage())
  }

  /** A browser says in `origin` how it came. It would drop a Secure cookie that comes over plain http, and the session with it. */
  function cameByHttps({ headers }: IncomingMessage): boolean {
    return headers.origin === undefined ? parts.secureCookies : headers.origin.startsWith('https:')
  }

  return {
    schema,
    enveloped: yoga.getEnveloped as unknown as (initial: object) => ReturnType<typeof yoga.getEnveloped>,
    /** Never throws: errors are logged and answered with a 500. */
    handle(req: IncomingMessage, res: ServerResponse, id: RequestId): void {
      respond(req, res, id).catch((error: unknown) => {
        parts.log.error({ err: error, requestId: id.text }, 'a GraphQL request failed')
        if (res.headersSent) res.destroy()
        else refuse(res, { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Something went wrong on our side.' })
      })
    },
  }
}

const adminBodyBytes = 16 * 1024 * 1024

const badToken = {
  status: 401,
  code: 'UNAUTHENTICATED',
  message: 'The access token is not valid, or it has expired. Renew it by refreshSession, or sign in again.',
}

/** An operation over HTTP has a caller, one over a socket a viewer and the request of its upgrade. */
interface InitialContext {
  caller?: Caller
  viewer?: Caller['viewer']
  request?: unknown
}

function callerOf(initial: InitialContext, parts: GraphqlParts): Caller {
  if (initial.caller) return initial.caller
  const request = initial.request as IncomingMessage | undefined
  return {
    viewer: initial.viewer ?? null,
    clientIp: request === undefined ? '' : parts.clientAddress(request),
    userAgent: request?.headers['user-agent'] ?? '',
    requestId: parts.newId().text,
  }
}

const tooManyOfStranger = {
  status: 429,
  code: 'TOO_MANY_ANONYMOUS_OPERATIONS',
  message: 'Too many operations of somebody who is not signed in come from this address. Try again in a moment.',
}
