// count_tokens for accounts whose upstream cannot count: an estimate of ours, which says that it is one.
import { estimateTokens } from '../../upstreams/formats/anthropic/passed-text.ts'
import type { RequestEnd, RunningRequest } from '../request/relay-request.ts'

/** An image is at most so many tokens, whatever its bytes. */
const imageTokens = 1600
const wideCharacters = /[\u3000-\ud7ff]/g

export function sendCountEstimate({ client, request }: RunningRequest): RequestEnd {
  if (client.hasLeft) return { outcome: 'aborted', httpStatus: 0, errorType: 'client_left' }
  const body = Buffer.from(JSON.stringify({ input_tokens: countEstimate(request.body) }))
  client.writeHead(200, [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    'x-request-id',
    request.id.text,
    'x-relay-count',
    'estimated',
  ])
  client.end(body)
  return { outcome: 'completed', httpStatus: 200, errorType: '' }
}

/** About four characters a token, 1.5 of Chinese, Japanese or Korean; what is base64 counts as an image. */
function countEstimate(body: Buffer): number {
  const passed = { chars: 0, wide: 0 }
  let images = 0
  try {
    JSON.parse(body.toString('utf8'), (key, value: unknown) => {
      if (typeof value !== 'string') return value
      if (key === 'data' && value.length > 1000) images++
      else {
        passed.chars += value.length
        passed.wide += value.match(wideCharacters)?.length ?? 0
      }
      return value
    })
  } catch {
    return Math.ceil(body.length / 4)
  }
  return estimateTokens(passed) + images * imageTokens
}
