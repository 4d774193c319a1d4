import type { ServerResponse } from 'node:http'
import { endAndClose } from '../../http/send-failure.ts'

/** Refuses a request before GraphQL sees it, in the shape of GraphQL's errors. */
export function refuse(
  res: ServerResponse,
  { status, code, message, retryAfterS = 1 }: { status: number; code: string; message: string; retryAfterS?: number },
): void {
  const body = Buffer.from(JSON.stringify({ errors: [{ message, extensions: { code } }] }))
  // The rest of an unread body would be parsed as the next request.
  res.shouldKeepAlive = false
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    ...(status === 405 && { allow: 'POST' }),
    ...(status === 429 && { 'retry-after': String(retryAfterS) }),
  })
  endAndClose(res.req, res, body)
}
