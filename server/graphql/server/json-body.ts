import type { IncomingMessage } from 'node:http'

/** Why a request is refused before it is parsed. */
export interface BodyRefusal {
  status: number
  code: string
  message: string
}

const tooLarge = (limitBytes: number) => ({
  status: 413,
  code: 'BODY_TOO_LARGE',
  message: `A GraphQL request has at most ${limitBytes / 1024} KB.`,
})
const notJson = { status: 400, code: 'BODY_NOT_JSON', message: 'The body must be a JSON object with `query`.' }

/** Reads the body of a GraphQL request: JSON, one operation, at most `limitBytes` (256 KB), complete within `timeoutMs`. */
export async function readJsonBody(
  req: IncomingMessage,
  onContinue: () => void,
  limitBytes = 256 * 1024,
  timeoutMs = 10_000,
): Promise<{ body: object } | BodyRefusal> {
  if (!/^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '')) {
    return { status: 415, code: 'NOT_JSON', message: 'GraphQL requests have content-type application/json.' }
  }
  if (req.headers['content-encoding'] !== undefined) {
    return { status: 415, code: 'ENCODED', message: 'GraphQL requests are not compressed.' }
  }
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) return tooLarge(limitBytes)
  if (req.headers.expect !== undefined) onContinue()
  const bytes = await collect(req, limitBytes, timeoutMs)
  if ('status' in bytes) return bytes
  let body: unknown
  try {
    body = JSON.parse(bytes.toString('utf8'))
  } catch {
    return notJson
  }
  if (Array.isArray(body)) {
    return { status: 400, code: 'BATCHING_REFUSED', message: 'One operation a request.' }
  }
  return typeof body === 'object' && body !== null && Object.keys(body).length > 0 ? { body } : notJson
}

function collect(req: IncomingMessage, limitBytes: number, timeoutMs: number): Promise<Buffer | BodyRefusal> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(
      () => end({ status: 408, code: 'BODY_TOO_SLOW', message: 'The body did not arrive in time.' }),
      timeoutMs,
    )
    const end = (result: Buffer | BodyRefusal): void => {
      clearTimeout(timer)
      req.off('data', onData)
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limitBytes) {
        req.pause()
        end(tooLarge(limitBytes))
      } else chunks.push(chunk)
    }
    req.on('data', onData)
    req.once('end', () => end(Buffer.concat(chunks)))
    req.once('close', () => end({ status: 400, code: 'BODY_CUT', message: 'The body broke off.' }))
  })
}
