// Reads a request body: bounded in size, in time and in what all bodies together take. Bytes count once they are here, whatever was
// announced.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { type Failure, fail } from '../../errors.ts'
import type { ByteShare } from '../byte-budget.ts'

export interface ReadLimits {
  /** Bytes of a body, also after decompression. */
  bodyBytes: number
  /** A body must arrive within this time, prolonged by a second for every `bytesPerSecond` that did arrive. */
  bodyMs: number
  bytesPerSecond: number
}

export const defaultReadLimits: ReadLimits = { bodyBytes: 32 * 1024 * 1024, bodyMs: 50_000, bytesPerSecond: 16 * 1024 }

/** A request's body, decompressed, and what it holds of the budget: `give` it back when it is no longer needed. */
export interface Body {
  bytes: Buffer
  give(): void
}

// A Map: names come from the client, and an object would know `constructor` too.
const decoders = new Map<string, () => Transform>([
  ['gzip', () => createGunzip({ chunkSize: 64 * 1024 })],
  ['x-gzip', () => createGunzip({ chunkSize: 64 * 1024 })],
  ['deflate', () => createInflate({ chunkSize: 64 * 1024 })],
  ['br', () => createBrotliDecompress({ chunkSize: 64 * 1024 })],
])

/**
 * Reads the body of an authenticated request. Never rejects: what is wrong comes back as a failure that says so; `null`
 * means that the client left.
 */
export async function readBody(
  req: IncomingMessage,
  res: ServerResponse,
  budget: ByteShare,
  limits: ReadLimits,
): Promise<Body | Failure | null> {
  const encoding = (req.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const isPlain = encoding === 'identity' || encoding === ''
  const createDecoder = decoders.get(encoding)
  if (!isPlain && createDecoder === undefined) {
    return fail(
      'body_encoding_unsupported',
      `content-encoding ${JSON.stringify(encoding.slice(0, 100))} is not supported; send gzip, br, deflate or none.`,
    )
  }
  const announced = Number(req.headers['content-length'] ?? Number.NaN)
  if (announced > limits.bodyBytes) return tooLarge(limits)
  const raw = await collect(req, res, budget, limits)
  if (createDecoder === undefined || raw === null || 'code' in raw) return raw
  const decoded = await decode(raw.bytes, createDecoder(), budget, limits)
  raw.give()
  return decoded ?? fail('request_invalid', `The body is not valid ${encoding}.`)
}

/** Held twice meanwhile; a bomb is stopped at the byte that is too much, and pays for all before it. */
function decode(
  raw: Buffer,
  decoder: Transform,
  budget: ByteShare,
  limits: ReadLimits,
): Promise<Body | Failure | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const give = once(() => budget.give(size))
    const end = (result: Body | Failure | null) => {
      decoder.removeAllListeners('data')
      decoder.destroy()
      if (result === null || 'code' in result) give()
      resolve(result)
    }
    decoder.on('data', (chunk: Buffer) => {
      if (size + chunk.length > limits.bodyBytes) return end(tooLarge(limits))
      if (!budget.take(chunk.length)) return end(memoryFull())
      size += chunk.length
      chunks.push(chunk)
    })
    decoder.on('end', () => end({ bytes: joined(chunks), give }))
    decoder.on('error', () => end(null))
    decoder.end(raw)
  })
}

function collect(
  req: IncomingMessage,
  res: ServerResponse,
  budget: ByteShare,
  limits: ReadLimits,
): Promise<Body | Failure | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const give = once(() => budget.give(size))
    const startedMs = performance.now()
    let timer = setTimeout(checkPace, limits.bodyMs)

    const end = (result: Body | Failure | null) => {
      clearTimeout(timer)
      req.off('data', onData)
      req.off('end', onEnd)
      req.off('close', onClose)
      if (result === null || 'code' in result) give()
      resolve(result)
    }
    function checkPace() {
      const allowedMs = limits.bodyMs + (size / limits.bytesPerSecond) * 1000
      const leftMs = startedMs + allowedMs - performance.now()
      if (leftMs > 0) timer = setTimeout(checkPace, leftMs)
      else end(bodyTooSlow(size, performance.now() - startedMs))
    }
    function onData(chunk: Buffer) {
      if (size + chunk.length > limits.bodyBytes) return end(tooLarge(limits))
      if (!budget.take(chunk.length)) return end(memoryFull())
      size += chunk.length
      chunks.push(chunk)
    }
    function onEnd() {
      end({ bytes: joined(chunks), give })
    }
    function onClose() {
      end(null)
    }

    req.on('data', onData)
    req.on('end', onEnd)
    req.on('close', onClose)
    // A client that waits for our word before it sends the body has now been let in. HTTP/1.0 knows no such word.
    if (req.headers.expect !== undefined && req.httpVersionMinor > 0) res.writeContinue()
  })
}

const joined = (chunks: readonly Buffer[]): Buffer => (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))

const tooLarge = (limits: ReadLimits): Failure =>
  fail('body_too_large', `The request body is larger than ${Math.floor(limits.bodyBytes / 1024 / 1024)} MB.`, {
    closes: true,
  })

/** `received` bytes came in `ms`. */
const bodyTooSlow = (received: number, ms: number): Failure =>
  fail('body_too_slow', `The body did not arrive in time: ${received} bytes in ${Math.round(ms / 1000)} s.`, {
    closes: true,
  })

const memoryFull = (): Failure =>
  fail('body_memory_full', 'The relay holds as many request bodies as it may. Try again in a moment.', {
    retryAfterS: 1,
    closes: true,
  })

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}
