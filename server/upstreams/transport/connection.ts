import type { Socket } from 'node:net'
import { ChunkedReader } from '../../wire/chunked.ts'
import { type AnswerHead, readAnswerHead } from './answer-head.ts'

/** Hears of the answer to one request, as it comes. None of these may throw. */
export interface AnswerListener {
  /** The request has a connection; `abort` breaks it off at any time, after which nothing more is heard. */
  onConnect(abort: () => void): void
  /** `headers`: name, value, name, value …; `resume` goes on after an `onData` that said false. */
  onHeaders(status: number, headers: string[], resume: () => void): void
  /** A piece of the body, whose bytes are good until `onRead` (or the end). False: nothing more until `resume`. */
  onData(bytes: Buffer): boolean
  /** All that one read brought has been told; what is kept beyond must be copied. */
  onRead(): void
  /** The answer is whole. */
  onComplete(): void
  /** It will not be: no connection, a broken one, or an answer against the protocol. */
  onError(error: Error): void
}

/** A request as it goes out. The caller has seen to it that no line of the head holds what ends a line. */
export interface Asked {
  /** Request line and header lines, each with CRLF, without the empty line. */
  head: string
  body: readonly Buffer[]
  bodyBytes: number
}

/** Requests up to this size go out in one piece. */
const joinedBytes = 16 * 1024
const mostHeadBytes = 64 * 1024
const endOfHead = Buffer.from('\r\n\r\n')
const nothing = Buffer.alloc(0)

/**
 * Where small requests are put together, one for all connections: a plain socket nearly always hands bytes to the kernel before its
 * `write` returns, and nobody reads them any more.
 */
export class Gathering {
  bytes = Buffer.allocUnsafeSlow(joinedBytes)

  /** A socket still reads the bytes: they stay with it. */
  leave(): void {
    this.bytes = Buffer.allocUnsafeSlow(joinedBytes)
  }
}

/**
 * One connection to an upstream, one request at a time. Own HTTP/1.1 instead of undici's: with the bytes of all connections read
 * into the same memory and each read told in one piece it takes half the CPU time (performance.md, "What helps", 7).
 */
export class UpstreamConnection {
  private readonly socket: Socket
  /** null where what is written goes to the kernel later, encrypted. */
  private readonly gathering: Gathering | null
  private readonly idled: (connection: UpstreamConnection) => void
  private readonly gone: (connection: UpstreamConnection) => void
  private listener: AnswerListener | null = null
  private head: AnswerHead | null = null
  /** Of a head, or of the head after an interim answer, that is not whole yet. */
  private headBytes: Buffer = nothing
  private chunked: ChunkedReader | null = null
  private left = 0
  private paused = false
  private answered = false
  private error: Error | null = null
  /** Until when an idle connection may be used again, in ms of performance.now(). */
  usableUntil = Number.POSITIVE_INFINITY

  constructor(
    socket: Socket,
    gathering: Gathering,
    idled: (connection: UpstreamConnection) => void,
    gone: (connection: UpstreamConnection) => void,
  ) {
    this.socket = socket
    this.gathering = 'encrypted' in socket ? null : gathering
    this.idled = idled
    this.gone = gone
    socket.on('error', (error) => {
      this.error = error
    })
    socket.on('end', () => this.ended())
    socket.on('close', () => this.closed())
  }

  /** True while it can take a request. */
  get usable(): boolean {
    return this.listener === null && !this.socket.destroyed && this.socket.writable
  }

  ask(asked: Asked, listener: AnswerListener): void {
    const { socket } = this
    // Its end has been told already, to nobody.
    if (socket.closed) return listener.onError(this.error ?? endedEarly(false))
    this.listener = listener
    this.answered = false
    let sent = false
    listener.onConnect(() => this.abort(listener, sent))
    if (this.listener !== listener) return
    sent = true
    const { head, body, bodyBytes } = asked
    const length = head.length + 2 + bodyBytes
    if (length <= joinedBytes) {
      const whole = this.gathering?.bytes ?? Buffer.allocUnsafe(length)
      let at = whole.write(head, 0, 'latin1')
      whole[at++] = 0x0d
      whole[at++] = 0x0a
      for (const piece of body) {
        whole.set(piece, at)
        at += piece.length
      }
      socket.write(whole.subarray(0, length))
      if (socket.writableLength > 0) this.gathering?.leave()
      return
    }
    socket.cork()
    socket.write(Buffer.from(`${head}\r\n`, 'latin1'))
    for (const piece of body) socket.write(piece)
    socket.uncork()
  }

  destroy(error?: Error): void {
    this.error ??= error ?? null
    this.socket.destroy()
  }

  private abort(listener: AnswerListener, sent: boolean): void {
    if (this.listener !== listener) return
    this.clear()
    if (sent) this.socket.destroy()
    else this.idled(this)
  }

  private readonly resume = (): void => {
    if (!this.paused) return
    this.paused = false
    this.socket.resume()
  }

  /** What a read brought: `bytes` are good during the call. Returns false when nothing more is wanted for now. */
  received(bytes: Buffer): boolean {
    const { listener } = this
    if (listener === null) {
      // Nobody asked.
      this.socket.destroy()
      return false
    }
    this.answered = true
    let at = 0
    while (at < bytes.length && this.listener === listener) {
      if (this.head === null) at = this.readHead(bytes, at, listener)
      else at = this.readBody(bytes, at, listener)
      if (at < 0) return false
    }
    if (this.listener === listener) listener.onRead()
    return !this.paused
  }

  /** Returns where the body begins, the end of the bytes when the head is not whole, -1 when the connection is given up. */
  private readHead(bytes: Buffer, at: number, listener: AnswerListener): number {
    const rest = at === 0 ? bytes : bytes.subarray(at)
    const known = this.headBytes.length
    const all = known === 0 ? rest : Buffer.concat([this.headBytes, rest])
    const found = all.indexOf(endOfHead, Math.max(0, known - 3))
    if (found < 0) {
      if (all.length > mostHeadBytes) return this.fail('UPSTREAM_BAD_ANSWER', 'answer headers of more than 64 KB')
      this.headBytes = known === 0 ? Buffer.from(rest) : all
      return bytes.length
    }
    this.headBytes = nothing
    const end = found + 4
    const head = end > mostHeadBytes ? null : readAnswerHead(all.toString('latin1', 0, end))
    if (head === null || head.status === 101) return this.fail('UPSTREAM_BAD_ANSWER', 'an answer that is no HTTP/1.1')
    const next = at + end - known
    if (head.status < 200) return next
    this.head = head
    if (head.body === 'chunked') this.chunked = new ChunkedReader()
    else this.left = head.body === 'close' ? Number.POSITIVE_INFINITY : head.body
    listener.onHeaders(head.status, head.headers, this.resume)
    if (this.listener === listener && this.left === 0 && this.chunked === null) this.complete(next < bytes.length)
    return next
  }

  private readBody(bytes: Buffer, at: number, listener: AnswerListener): number {
    const { chunked } = this
    if (chunked === null) {
      const length = Math.min(this.left, bytes.length - at)
      this.left -= length
      this.tell(at === 0 && length === bytes.length ? bytes : bytes.subarray(at, at + length), listener)
      if (this.left === 0 && this.listener === listener) this.complete(at + length < bytes.length)
      return at + length
    }
    const end = chunked.read(bytes, at, bytes.length)
    if (chunked.to > chunked.from) this.tell(bytes.subarray(chunked.from, chunked.to), listener)
    if (this.listener !== listener) return end
    if (chunked.failed) return this.fail('UPSTREAM_BAD_ANSWER', 'chunks that are none')
    if (chunked.done) this.complete(end < bytes.length)
    return end
  }

  private tell(bytes: Buffer, listener: AnswerListener): void {
    if (listener.onData(bytes) || this.listener !== listener) return
    this.paused = true
    this.socket.pause()
  }

  /** `more`: bytes that nobody asked for follow. A request that the upstream did not want whole still clogs the connection. */
  private complete(more: boolean): void {
    const listener = this.listener!
    const { keepsAlive, keepAliveMs } = this.head!
    this.clear()
    if (!keepsAlive || more || this.socket.writableLength > 0) this.socket.destroy()
    else {
      // A second less than the upstream's own word: a request must not meet the end of the connection.
      this.usableUntil = keepAliveMs === null ? Number.POSITIVE_INFINITY : performance.now() + keepAliveMs - 1000
      if (this.paused) this.resume()
      this.idled(this)
    }
    listener.onComplete()
  }

  private clear(): void {
    this.listener = null
    this.head = null
    this.headBytes = nothing
    this.chunked = null
    this.left = 0
  }

  private fail(code: string, what: string): -1 {
    this.error = Object.assign(new Error(`The upstream sent ${what}`), { code })
    this.socket.destroy()
    this.tellEnd()
    return -1
  }

  private ended(): void {
    if (this.listener !== null && this.head?.body === 'close') this.complete(false)
    else this.socket.destroy()
  }

  private closed(): void {
    this.tellEnd()
    this.gone(this)
  }

  private tellEnd(): void {
    const { listener } = this
    this.clear()
    listener?.onError(this.error ?? endedEarly(this.answered))
  }
}

function endedEarly(answered: boolean): Error {
  const when = answered ? 'in the middle of its answer' : 'before it answered'
  return Object.assign(new Error(`The upstream closed the connection ${when}`), { code: 'UPSTREAM_CLOSED' })
}
