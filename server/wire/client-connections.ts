// Over 300 lines: the phases of one connection share one state; cut apart they would need it passed around.
import type { Server } from 'node:http'
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { ClientAnswer } from './client-answer.ts'
import { type AnswerConnection, ConnectionAnswer } from './connection-answer.ts'
import { type RequestHead, readRequestHead } from './request-head.ts'
import type { Slabs } from './slabs.ts'

/** A whole request, as the door that serves it sees it. */
export interface WholeRequest {
  method: 'POST'
  complete: true
  /** Path and query as they came. */
  target: string
  headers: Readonly<Record<string, string>>
  rawHeaders: readonly string[]
  socket: { remoteAddress: string | undefined }
}

/** A body as it arrived. `give` it back when nobody reads it any more. */
export interface WholeBody {
  chunks: readonly Buffer[]
  length: number
  give(): void
}

/** Who serves what comes on connections of our own. `Guest`: what it knows of the caller once the head has been read. */
export interface ClientDoor<Guest> {
  /** From the head alone, before a byte of the body is kept: null leaves the request to node:http, with all that may be wrong with it. */
  welcome(request: WholeRequest, bodyBytes: number): Guest | null
  /** The guest will not be served: the body did not come. */
  dismiss(guest: Guest, bodyBytes: number): void
  serve(request: WholeRequest, body: WholeBody, answer: ClientAnswer, guest: Guest): void
  /** The body is too slow. */
  refuseSlow(request: WholeRequest, answer: ClientAnswer, received: number, ms: number): void
}

export interface ConnectionLimits {
  headerBytes: number
  headerCount: number
  /** A connection that has said nothing goes to node:http after this time, whose clock for headers then begins. */
  silentMs: number
  keepAliveMs: number
  checkMs: number
  /** How long a client may take nothing of what is left of an answer that has ended. */
  untakenMs: number
  /** A body must arrive within this time, prolonged by a second for every `bytesPerSecond` that did arrive. */
  bodyMs: number
  bytesPerSecond: number
}

export interface ClientConnections {
  closeAll(): void
}

interface Parts<Guest> {
  door: ClientDoor<Guest>
  limits: ConnectionLimits
  slabs: Slabs
  /** node:http's own reception of a connection. */
  handOver: (socket: Socket) => void
  lastLines: (closes: boolean) => string
  readBuffer: Buffer
  gone: (connection: ClientConnection<Guest>) => void
}

type Phase = 'idle' | 'body' | 'served' | 'closing' | 'handed over'

const endOfHead = Buffer.from('\r\n\r\n')
/** What a client may send ahead while its request is served. */
const mostAheadBytes = 64 * 1024
/** How long a connection that was told why it is closed may go on sending: a reset would overtake the answer. */
const lingerMs = 1000

/**
 * Takes the connections of a node:http server and serves on them itself what its door welcomes: whole POST requests of the plain
 * kind. All else (other methods, chunked bodies, compressed ones, whatever is odd or wrong) goes to node:http with every byte that came.
 *
 * Why: node:http makes two streams, a dozen closures and fresh memory a request; half of what a small request costs. A socket made
 * from another one's handle is not documented, only settled practice: where Node does not have it, node:http serves all.
 */
export function takeConnections<Guest>(
  server: Server,
  parts: { door: ClientDoor<Guest>; limits: ConnectionLimits; slabs: Slabs },
): ClientConnections {
  const { limits, slabs } = parts
  const all = new Set<ClientConnection<Guest>>()
  const receptions = server.listeners('connection') as ((socket: Socket) => void)[]
  /** One for all: what is read is used up, or copied, before the next read. */
  const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)
  let dateLine = ''
  let keptLines = ''
  let closing = false

  const shared: Parts<Guest> = {
    door: parts.door,
    limits,
    slabs,
    readBuffer,
    handOver: (socket) => {
      for (const receive of receptions) receive.call(server, socket)
    },
    lastLines(closes) {
      if (dateLine === '') {
        dateLine = `date: ${new Date().toUTCString()}\r\n\r\n`
        keptLines = `connection: keep-alive\r\nkeep-alive: timeout=${limits.keepAliveMs / 1000}\r\n${dateLine}`
        setTimeout(
          () => {
            dateLine = ''
          },
          1000 - (Date.now() % 1000),
        ).unref()
      }
      return closes ? dateLine : keptLines
    },
    gone: (connection) => all.delete(connection),
  }

  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (closing || !canBeTaken(socket)) return shared.handOver(socket)
    all.add(new ClientConnection(socket, shared))
  })

  const check = setInterval(() => {
    const now = performance.now()
    for (const connection of all) connection.check(now)
  }, limits.checkMs).unref()
  server.on('close', () => clearInterval(check))

  return {
    closeAll() {
      closing = true
      for (const connection of all) connection.destroy()
    },
  }
}

interface Handle {
  useUserBuffer?: unknown
}
type WithHandle = Socket & { _handle: Handle | null }

const canBeTaken = (socket: Socket): boolean =>
  typeof (socket as WithHandle)._handle?.useUserBuffer === 'function' && !socket.destroyed

class ClientConnection<Guest> implements AnswerConnection {
  readonly socket: Socket
  readonly slabs: Slabs
  readonly untakenMs: number
  private readonly parts: Parts<Guest>
  private readonly remote: { remoteAddress: string | undefined }
  private phase: Phase = 'idle'
  /** What the current read is written to. */
  private reading: Buffer
  private isFresh = true
  private sinceMs = performance.now()
  private request: WholeRequest | null = null
  private guest: Guest | null = null
  private answer: ConnectionAnswer | null = null
  private body: Buffer | null = null
  private bodyBytes = 0
  private bodyRead = 0
  private bodyTimer: NodeJS.Timeout | null = null
  private ahead: Buffer | null = null
  /** The last head that was read, byte for byte, and what it said: a client repeats itself. */
  private knownHead: Buffer | null = null
  private known: RequestHead | null = null

  constructor(accepted: Socket, parts: Parts<Guest>) {
    this.parts = parts
    this.slabs = parts.slabs
    this.untakenMs = parts.limits.untakenMs
    this.reading = parts.readBuffer
    const { _handle: handle } = accepted as WithHandle
    ;(accepted as WithHandle)._handle = null
    const options: SocketConstructorOpts & { handle: Handle | null; onread: OnReadOpts } = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: this.nextBuffer,
        callback: (length) => this.received(length),
      },
    }
    const socket = new Socket(options)
    this.socket = socket
    this.remote = { remoteAddress: socket.remoteAddress }
    socket.on('error', ignore)
    socket.on('end', this.ended)
    socket.on('close', () => {
      this.closed()
      // The server counts the one that it accepted.
      accepted.destroy()
    })
  }

  lastLines(closes: boolean): string {
    return this.parts.lastLines(closes)
  }

  destroy(): void {
    this.socket.destroy()
  }

  check(now: number): void {
    if (this.phase !== 'idle') return
    const { limits } = this.parts
    if (this.isFresh && now - this.sinceMs > limits.silentMs) this.handOver(nothing)
    else if (now - this.sinceMs > limits.keepAliveMs) this.socket.destroy()
  }

  /** Where the next read goes: a body that was begun is read to its place, without a copy and in as few reads as may be. */
  private readonly nextBuffer = (): Buffer => {
    const { body, parts } = this
    this.reading = body === null ? parts.readBuffer : body.subarray(this.bodyRead, this.bodyBytes)
    return this.reading
  }

  /** Returns false when nothing more is wanted for now. */
  private received(length: number): boolean {
    if (this.phase === 'body') {
      if (this.reading === this.parts.readBuffer) this.readBody(this.reading.subarray(0, length))
      else this.bodyGrew(length)
      return true
    }
    const bytes = this.reading.subarray(0, length)
    switch (this.phase) {
      case 'idle':
        this.readHead(bytes)
        return true
      case 'served':
        return this.keepAhead(bytes)
      case 'handed over':
        // As any socket would: its reader pauses it.
        return this.socket.push(Buffer.from(bytes))
      default:
        return true
    }
  }

  private readHead(bytes: Buffer): void {
    this.isFresh = false
    const end = bytes.indexOf(endOfHead) + 4
    const { limits, door } = this.parts
    if (end < 4 || end > limits.headerBytes) return this.handOver(bytes)
    const head = this.headOf(bytes, end)
    if (head === null) return this.handOver(bytes)
    const request: WholeRequest = {
      method: 'POST',
      complete: true,
      target: head.target,
      headers: head.headers,
      rawHeaders: head.raw,
      socket: this.remote,
    }
    const guest = door.welcome(request, head.bodyBytes)
    if (guest === null) return this.handOver(bytes)
    this.request = request
    this.guest = guest
    this.bodyBytes = head.bodyBytes
    this.bodyRead = 0
    this.body = this.slabs.take(head.bodyBytes)
    this.phase = 'body'
    this.sinceMs = performance.now()
    this.readBody(bytes.subarray(end))
    if (this.phase === 'body') this.bodyTimer = setTimeout(this.checkPace, limits.bodyMs)
  }

  private headOf(bytes: Buffer, end: number): RequestHead | null {
    const { knownHead } = this
    if (knownHead !== null && knownHead.length === end && bytes.compare(knownHead, 0, end, 0, end) === 0)
      return this.known
    const head = readRequestHead(bytes.toString('latin1', 0, end), this.parts.limits.headerCount)
    this.knownHead = head && Buffer.from(bytes.subarray(0, end))
    this.known = head
    return head
  }

  /** What came with the head, or was read elsewhere. */
  private readBody(bytes: Buffer): void {
    const length = Math.min(bytes.length, this.bodyBytes - this.bodyRead)
    if (length > 0) this.body!.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.bodyRead)
    if (length < bytes.length) this.keepAhead(bytes.subarray(length))
    this.bodyGrew(length)
  }

  private bodyGrew(length: number): void {
    this.bodyRead += length
    if (this.bodyRead < this.bodyBytes) return
    const body = this.body!
    this.stopClock()
    this.phase = 'served'
    const answer = new ConnectionAnswer(this)
    this.answer = answer
    const { slabs } = this
    let given = false
    const whole: WholeBody = {
      chunks: [body.length === this.bodyBytes ? body : body.subarray(0, this.bodyBytes)],
      length: this.bodyBytes,
      give() {
        if (!given) slabs.give(body)
        given = true
      },
    }
    this.body = null
    const { guest, request } = this
    this.guest = null
    this.parts.door.serve(request!, whole, answer, guest!)
  }

  private readonly checkPace = (): void => {
    const { limits, door } = this.parts
    const ms = performance.now() - this.sinceMs
    const leftMs = limits.bodyMs + (this.bodyRead / limits.bytesPerSecond) * 1000 - ms
    if (leftMs > 0) {
      this.bodyTimer = setTimeout(this.checkPace, leftMs)
      return
    }
    // Reads still go to that memory: it is nobody else's any more.
    this.body = null
    this.dropBody()
    this.answer = new ConnectionAnswer(this)
    this.phase = 'served'
    door.refuseSlow(this.request!, this.answer, this.bodyRead, Math.round(ms))
  }

  private stopClock(): void {
    if (this.bodyTimer !== null) clearTimeout(this.bodyTimer)
    this.bodyTimer = null
  }

  private dropBody(): void {
    this.stopClock()
    if (this.body !== null) this.slabs.give(this.body)
    this.body = null
    if (this.guest !== null) this.parts.door.dismiss(this.guest, this.bodyBytes)
    this.guest = null
  }

  /** A client that does not wait for its answer: what comes next is node:http's, afterwards. */
  private keepAhead(bytes: Buffer): boolean {
    this.ahead = this.ahead === null ? Buffer.from(bytes) : Buffer.concat([this.ahead, bytes])
    return this.ahead.length < mostAheadBytes
  }

  answered(closes: boolean): void {
    this.answer = null
    this.request = null
    this.sinceMs = performance.now()
    if (closes) {
      this.phase = 'closing'
      this.socket.end()
      setTimeout(() => this.socket.destroy(), lingerMs).unref()
      return
    }
    this.phase = 'idle'
    const { ahead } = this
    this.ahead = null
    if (ahead !== null) this.handOver(ahead)
  }

  /** All that comes on this connection is node:http's from now on, first of all `bytes`. */
  private handOver(bytes: Buffer): void {
    const { socket } = this
    this.phase = 'handed over'
    this.known = null
    this.knownHead = null
    this.parts.gone(this)
    const first = bytes.length > 0 ? Buffer.from(bytes) : null
    socket.off('error', ignore)
    socket.off('end', this.ended)
    this.parts.handOver(socket)
    if (first !== null) socket.unshift(first)
    if (first !== null || socket.isPaused()) socket.resume()
  }

  private readonly ended = (): void => {
    // Half closed or gone cannot be told apart.
    this.socket.destroy()
  }

  private closed(): void {
    this.parts.gone(this)
    this.dropBody()
    const { answer } = this
    this.answer = null
    answer?.closed()
  }
}

const nothing = Buffer.alloc(0)
function ignore(): void {}
