// One call to an upstream: its head as a promise, its body decoded and handed on piece by piece, and how it ended.
import type { Transform } from 'node:stream'
import type { ResponseListener } from '../../upstreams/transport/response-listener.ts'
import { ResponseHeaders } from '../request/response-headers.ts'
import type { UpstreamFailure } from './attempt-result.ts'

export interface ResponseHead {
  status: number
  headers: ResponseHeaders
  atMs: number
}

/** Why no more bytes come. */
export type CallEnd =
  /** The upstream has ended its response. */
  | { by: 'upstream' }
  /** The connection failed. */
  | { by: 'error'; error: Error }
  /** What was compressed cannot be read. */
  | { by: 'decoder' }
  /** We gave it up: too slow, too large. */
  | { by: 'failure'; failure: UpstreamFailure }
  /** We have all we wanted. */
  | { by: 'reader' }
  | { by: 'client' }
  /** A limit of its key was reached, and the deployment stops such requests. */
  | { by: 'limit' }
  | { by: 'shutdown' }

type Take = (chunk: Buffer) => boolean

/** A class: it is the listener that the transport calls for every chunk. */
export class UpstreamCall implements ResponseListener {
  /** Resolves once: with the head, or with what ended the call before it. */
  readonly head: Promise<ResponseHead | CallEnd>
  isConnected = false
  lastByteAtMs: number
  private readonly now: () => number
  private resolveHead!: (head: ResponseHead | CallEnd) => void
  private resolveEnd: ((end: CallEnd) => void) | null = null
  private ended: CallEnd | null = null
  private isComplete = false
  private abort: ((reason?: Error) => void) | null = null
  private resumeUpstream: (() => void) | null = null
  private decoder: Transform | null = null
  private take: Take | null = null
  /** What came before somebody read. */
  private early: Buffer[] = []

  constructor(now: () => number) {
    this.now = now
    this.lastByteAtMs = now()
    this.head = new Promise((resolve) => {
      this.resolveHead = resolve
    })
  }

  // ── the transport's side ─────────────────────────────────────────────────────────────────────────────────────────

  onConnect(abort: (reason?: Error) => void): void {
    this.isConnected = true
    this.abort = abort
    if (this.ended !== null) abort()
  }

  onHeaders(status: number, rawHeaders: string[], resume: () => void): void {
    this.resumeUpstream = resume
    this.lastByteAtMs = this.now()
    this.resolveHead({ status, headers: new ResponseHeaders(rawHeaders), atMs: this.lastByteAtMs })
  }

  /** False: nothing more is wanted until `resume`. */
  onData(chunk: Buffer): boolean {
    this.lastByteAtMs = this.now()
    if (this.ended !== null) return true
    if (this.decoder !== null) return this.decoder.write(chunk)
    if (this.take !== null) return this.take(chunk)
    this.early.push(chunk)
    return true
  }

  onComplete(): void {
    this.isComplete = true
    if (this.take !== null) this.endBody()
  }

  onError(error: Error): void {
    this.finish({ by: 'error', error })
  }

  // ── the reader's side ────────────────────────────────────────────────────────────────────────────────────────────

  /** Hands on every piece until the call ends, whatever ends it. `take` returns false when the client does not keep up. */
  read(take: Take, decoder: Transform | null): Promise<CallEnd> {
    return new Promise((resolve) => {
      this.resolveEnd = resolve
      this.take = take
      if (decoder !== null) this.startDecoder(decoder, take)
      for (const chunk of this.early.splice(0)) {
        if (decoder === null) take(chunk)
        else decoder.write(chunk)
      }
      if (this.ended !== null) resolve(this.ended)
      else if (this.isComplete) this.endBody()
    })
  }

  /** After `take` returned false. */
  resume(): void {
    // Silence while the client was slow is not the upstream's.
    this.lastByteAtMs = this.now()
    if (this.decoder !== null) this.decoder.resume()
    else this.resumeUpstream?.()
  }

  /** Ends the call: no more bytes are handed on, and a response that is still running is aborted. */
  stop(end: CallEnd): void {
    this.finish(end)
    if (!this.isComplete) this.abort?.()
  }

  private endBody(): void {
    if (this.decoder !== null) this.decoder.end()
    else this.finish({ by: 'upstream' })
  }

  private finish(end: CallEnd): void {
    if (this.ended !== null) return
    this.ended = end
    this.decoder?.destroy()
    this.resolveHead(end)
    this.resolveEnd?.(end)
  }

  private startDecoder(decoder: Transform, take: Take): void {
    this.decoder = decoder
    decoder.on('data', (chunk: Buffer) => {
      if (this.ended === null && !take(chunk)) decoder.pause()
    })
    decoder.on('drain', () => this.resumeUpstream?.())
    decoder.on('end', () => this.finish({ by: 'upstream' }))
    decoder.on('error', () => this.finish({ by: 'decoder' }))
  }
}
