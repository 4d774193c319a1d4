// The response to a client: what one tick brings goes out as one write, and a client that takes nothing is cut off.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A class: one for each request, and its methods are shared. */
export class ClientResponse {
  private readonly res: ServerResponse
  private readonly stalledMs: number
  private readonly now: () => number
  private gathered: Buffer[] = []
  /** When the head went out, epoch ms; 0 before. */
  firstByteAtMs = 0
  /** The client left before it had the whole response. */
  hasLeft = false
  /** Called when the client leaves; set by whoever waits for the request at the moment. */
  onLeave: (() => void) | null = null

  /** `stalledMs`: how long the client may take nothing of what is left of a response that has ended. */
  constructor(res: ServerResponse, stalledMs: number, now: () => number) {
    this.res = res
    this.stalledMs = stalledMs
    this.now = now
    res.on('close', () => {
      if (res.writableFinished) return
      this.hasLeft = true
      this.onLeave?.()
    })
  }

  get req(): IncomingMessage {
    return this.res.req
  }

  get headersSent(): boolean {
    return this.res.headersSent
  }

  /** The client is gone, or was cut off. */
  get destroyed(): boolean {
    return this.res.destroyed
  }

  /** `headers`: name, value, name, value … Without a content-length the body goes out in chunks. */
  writeHead(status: number, headers: string[]): void {
    this.firstByteAtMs = this.now()
    this.res.writeHead(status, headers)
  }

  /** False: the client does not keep up, and `onDrain` will be called. */
  write(bytes: Buffer): boolean {
    if (this.gathered.push(bytes) === 1) process.nextTick(flush, this)
    return !this.res.writableNeedDrain
  }

  /** The head goes out although no byte of the body is there. */
  flushHeaders(): void {
    this.res.flushHeaders()
  }

  flush(): void {
    const { gathered, res } = this
    if (gathered.length === 0) return
    // Nearly always one: the list is kept for the next.
    const bytes = gathered.length === 1 ? gathered.pop() : Buffer.concat(gathered.splice(0))
    if (!res.destroyed && !res.writableEnded) res.write(bytes)
  }

  end(bytes?: Buffer): void {
    const { res } = this
    this.flush()
    res.end(bytes)
    if (res.writableLength > 0 && res.socket !== null) cutOffWhenStalled(res, res.socket, this.stalledMs)
  }

  destroy(): void {
    this.gathered = []
    this.res.destroy()
  }

  /** Calls when the client has the whole response, or is gone. */
  whenClosed(listener: () => void): void {
    if (this.res.closed || this.res.destroyed) listener()
    else this.res.once('close', listener)
  }

  onDrain(listener: () => void): void {
    this.res.on('drain', listener)
  }
}

/** One write a tick is 1.3 to 2 times cheaper on streams of small events. */
function flush(response: ClientResponse): void {
  response.flush()
}

/**
 * Destroys the connection when the client takes nothing of what is left for `ms`. The socket's own timeout knows whether a write
 * moves on; as bytes from the client would start it anew, none are read until the response is out.
 */
function cutOffWhenStalled(res: ServerResponse, socket: Socket, ms: number): void {
  const cutOff = () => socket.destroy()
  socket.pause()
  socket.setTimeout(ms, cutOff)
  // Before node's own listener, which sets the timeout of an idle connection.
  res.prependOnceListener('finish', () => {
    socket.off('timeout', cutOff)
    socket.setTimeout(0)
    socket.resume()
  })
}
