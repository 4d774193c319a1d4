import type { ServerResponse } from 'node:http'

/** Probes that clients send to warm a connection: harmless, without a key, without a log line. */
export const isProbe = (method: string | undefined, route: string): boolean =>
  (method === 'HEAD' || method === 'GET') && (route === '' || route === '/' || route === '/api/hello')

export function answerProbe(res: ServerResponse): void {
  res.writeHead(200, { 'content-length': 0 })
  res.end()
}
