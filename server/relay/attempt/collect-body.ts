// Reads a whole body that is not a stream: a JSON response, or an error.
import type { Transform } from 'node:stream'
import { explain } from '../../upstreams/transport/failure-cause.ts'
import { type Attempt, type AttemptParts, hasReadOnTooLong } from './running-attempt.ts'
import type { CallEnd } from './upstream-call.ts'

/** `onTooLarge`: what ends the call once more than `limit` bytes have come. */
export async function collectBody(
  attempt: Attempt,
  decoder: Transform | null,
  limit: number,
  onTooLarge: CallEnd,
  parts: AttemptParts,
): Promise<{ body: Buffer; end: CallEnd }> {
  const { call, account, firstByteMs } = attempt
  const silenceMs = Math.max(parts.timers.idleMs, firstByteMs)
  const chunks: Buffer[] = []
  let size = 0
  attempt.onTick = (nowMs) => {
    if (hasReadOnTooLong(attempt, parts, nowMs)) call.stop({ by: 'client' })
    else if (nowMs - call.lastByteAtMs > silenceMs) {
      const explained = explain('silent', 'idle_timeout', account, silenceMs)
      call.stop({ by: 'failure', failure: { errorType: 'idle_timeout', explained } })
    }
  }
  const end = await call.read((chunk) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) call.stop(onTooLarge)
    return true
  }, decoder)
  return { body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), end }
}
