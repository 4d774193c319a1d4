import type { Target } from './target.ts'
import type { Transport } from './transport.ts'

/** A response that was waited for as a whole. */
export interface WholeResponse {
  status: number
  /** Names in lower case. */
  headers: [name: string, value: string][]
  body: Buffer
  /** There was more of the body than was wanted. */
  isCut: boolean
}

/** Asks once and waits for the whole response. Rejects with the transport's error, or after `timeoutMs` with one of the code TimeoutError. */
export function askWhole(
  transport: Transport,
  target: Target,
  request: { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body: string | null },
  limits: { timeoutMs: number; maxBytes: number },
): Promise<WholeResponse> {
  return new Promise((resolve, reject) => {
    const response: WholeResponse = { status: 0, headers: [], body: Buffer.alloc(0), isCut: false }
    const chunks: Buffer[] = []
    let bytes = 0
    let isOver = false
    let abort: (() => void) | null = null

    function end(error: Error | null): void {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      if (error) return reject(error)
      resolve({ ...response, body: Buffer.concat(chunks) })
    }
    const timer = setTimeout(() => {
      end(Object.assign(new Error('No response in time'), { code: 'TimeoutError' }))
      abort?.()
    }, limits.timeoutMs)

    const body = request.body === null ? [] : [Buffer.from(request.body)]
    const { method, path } = request
    const headers = Object.entries(request.headers).flat()
    transport.send(
      target,
      { method, path, headers, body, bodyBytes: body[0]?.length ?? 0 },
      {
        onConnect(breakOff) {
          abort = breakOff
          if (isOver) breakOff()
        },
        onHeaders(status, raw) {
          response.status = status
          for (let i = 0; i < raw.length; i += 2) response.headers.push([raw[i]!.toLowerCase(), raw[i + 1]!])
        },
        onData(chunk) {
          chunks.push(chunk)
          bytes += chunk.length
          if (bytes <= limits.maxBytes) return true
          response.isCut = true
          end(null)
          abort?.()
          return true
        },
        onComplete: () => end(null),
        onError: end,
      },
    )
  })
}
