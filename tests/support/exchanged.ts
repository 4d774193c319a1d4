import type { Dispatcher } from 'undici'

/** What came back for one request sent with `exchanged`. */
export interface Answered {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** One request over a dispatcher, read to its end; rejects with the dispatcher's own error. */
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
