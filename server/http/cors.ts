// Web pages of other origins that call the relay from a browser, as far as CORS_ORIGINS lets them.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Names of headers in a list, as a browser sends them. */
const headerNames = /^[\w-]+(\s*,\s*[\w-]+)*$/

/**
 * Gives the response of an allowed page the headers that let it be read. True: the request was a preflight, and it is
 * answered. Keys come in headers and cookies are of no use here, so credentials of the browser are never allowed.
 */
export function createCors(origins: readonly string[]) {
  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const { origin } = req.headers
    if (origins.length === 0 || origin === undefined) return false
    res.setHeader('vary', 'origin')
    if (!origins.includes('*') && !origins.includes(origin)) return false
    res.setHeader('access-control-allow-origin', origin)
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) {
      res.setHeader('access-control-expose-headers', '*')
      return false
    }
    const asked = req.headers['access-control-request-headers'] ?? ''
    res.writeHead(204, {
      'access-control-allow-methods': 'GET, HEAD, POST',
      ...(headerNames.test(asked) && { 'access-control-allow-headers': asked }),
      // Browsers keep it for two hours at most.
      'access-control-max-age': '7200',
    })
    res.end()
    return true
  }
}
