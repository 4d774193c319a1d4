import type { Dispatcher } from 'undici'
import type { Target } from '../../server/upstreams/transport/target.ts'
import type { Transport } from '../../server/upstreams/transport/transport.ts'
import { askWhole } from '../../server/upstreams/transport/whole-response.ts'

/** The response to one request sent with `exchanged`. */
export interface Answered {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** Sends one request over a dispatcher and reads the response to its end. Rejects with the dispatcher's own error. */
export async function exchanged(
  dispatcher: Dispatcher,
  path: string,
  options: { method?: Dispatcher.HttpMethod; body?: object; headers?: Record<string, string> } = {},
): Promise<Answered> {
  const { method = options.body ? 'POST' : 'GET', body, headers = {} } = options
  const {
    statusCode,
    headers: received,
    body: stream,
  } = await dispatcher.request({
    path,
    method,
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    body: body ? JSON.stringify(body) : null,
    origin: 'http://unused.invalid',
  })
  return { status: statusCode, headers: received, body: await stream.text() }
}

/** The same over the relay's own transport. */
export async function exchangedOver(
  { transport, ...target }: { transport: Transport } & Pick<Target, 'origin' | 'proxy'> & Partial<Target>,
  path: string,
  options: { body?: object; headers?: Record<string, string> } = {},
): Promise<Answered> {
  const { body, headers = {} } = options
  const request = {
    method: body ? ('POST' as const) : ('GET' as const),
    path,
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    body: body ? JSON.stringify(body) : null,
  }
  const limits = { timeoutMs: 30_000, maxBytes: 1_000_000 }
  const response = await askWhole(
    transport,
    { originIsTrusted: true, proxyIsTrusted: true, ...target },
    request,
    limits,
  )
  return { status: response.status, headers: Object.fromEntries(response.headers), body: response.body.toString() }
}
