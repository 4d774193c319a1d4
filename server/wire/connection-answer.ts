import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientAnswer } from './client-answer.ts'
import type { Slabs } from './slabs.ts'
import { watchUntaken } from './untaken.ts'

/** What an answer asks of the connection that it goes out on. */
export interface AnswerConnection {
  socket: Socket
  slabs: Slabs
  /** How long the client may take nothing of what is left of an answer that has ended. */
  untakenMs: number
  /** The header lines that are the same for all answers of a second, and the empty line. */
  lastLines(closes: boolean): string
  /** The answer is whole and out; `closes`: nothing comes after it. */
  answered(closes: boolean): void
}

const firstBytes = 4096
const lastChunk = '0\r\n\r\n'
/** `ffffffff\r\n` before a chunk, `\r\n` behind it. */
const frameBytes = 12
const cr = 0x0d
const lf = 0x0a

/** An answer on a connection of our own: head and body are gathered in lasting memory and go out in one piece a turn. */
export class ConnectionAnswer implements ClientAnswer {
  headersSent = false
  writableFinished = false
  private readonly connection: AnswerConnection
  private slab: Buffer | null = null
  private used = 0
  private chunked = false
  private closes = false
  private ended = false
  private scheduled = false
  private blocked = false
  /** Memory that the socket still reads. */
  private readonly leaving: Buffer[] = []
  private closeListener: (() => void) | null = null
  private drainListener: (() => void) | null = null
  private stopWatch: (() => void) | null = null

  constructor(connection: AnswerConnection) {
    this.connection = connection
  }

  get destroyed(): boolean {
    return this.connection.socket.destroyed
  }

  get writableLength(): number {
    return this.used + this.connection.socket.writableLength
  }

  writeHead(status: number, headers: string[]): void {
    let head = status === 200 ? 'HTTP/1.1 200 OK\r\n' : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`
    this.chunked = true
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!
      if (name === 'content-length') this.chunked = false
      else if (name === 'connection') this.closes = headers[i + 1] === 'close'
      head += `${name}: ${headers[i + 1]!}\r\n`
    }
    if (this.chunked) head += 'transfer-encoding: chunked\r\n'
    head += this.connection.lastLines(this.closes)
    this.headersSent = true
    this.makeRoom(head.length)
    this.used += this.slab!.write(head, this.used, 'latin1')
  }

  write(bytes: Buffer): boolean {
    if (bytes.length > 0 && !this.ended) this.put(bytes)
    this.schedule()
    return !this.blocked
  }

  end(bytes?: Buffer): void {
    if (this.ended) return
    if (bytes !== undefined && bytes.length > 0) this.put(bytes)
    if (this.chunked) {
      this.makeRoom(lastChunk.length)
      this.used += this.slab!.write(lastChunk, this.used, 'latin1')
    }
    this.ended = true
    this.flush()
    if (this.blocked) this.stopWatch = watchUntaken(this.connection.socket, this.connection.untakenMs)
  }

  flushHeaders(): void {
    this.schedule()
  }

  destroy(): void {
    this.connection.socket.destroy()
  }

  onClose(listener: () => void): void {
    this.closeListener = listener
  }

  onDrain(listener: () => void): void {
    this.drainListener = listener
  }

  /** The connection has ended: whoever waits hears of it, and no memory is read any more. */
  closed(): void {
    this.stopWatch?.()
    if (this.slab !== null) this.leaving.push(this.slab)
    this.slab = null
    for (const slab of this.leaving.splice(0)) this.connection.slabs.give(slab)
    if (!this.writableFinished) this.closeListener?.()
  }

  private put(bytes: Buffer): void {
    this.makeRoom(bytes.length + frameBytes)
    const slab = this.slab!
    if (this.chunked) {
      this.used += slab.write(bytes.length.toString(16), this.used, 'latin1')
      slab[this.used++] = cr
      slab[this.used++] = lf
    }
    slab.set(bytes, this.used)
    this.used += bytes.length
    if (!this.chunked) return
    slab[this.used++] = cr
    slab[this.used++] = lf
  }

  private makeRoom(bytes: number): void {
    const { slab } = this
    const { slabs } = this.connection
    if (slab === null) this.slab = slabs.take(Math.max(firstBytes, bytes))
    else if (this.used + bytes > slab.length) {
      const larger = slabs.take(Math.max(slab.length * 2, this.used + bytes))
      slab.copy(larger, 0, 0, this.used)
      slabs.give(slab)
      this.slab = larger
    }
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    process.nextTick(flushAnswer, this)
  }

  flush(): void {
    this.scheduled = false
    const { slab, used } = this
    const { socket } = this.connection
    if (slab === null || used === 0 || socket.destroyed) return
    this.slab = null
    this.used = 0
    this.leaving.push(slab)
    socket.write(slab.length === used ? slab : slab.subarray(0, used), this.written)
    if (socket.writableLength > 0) this.blocked = true
  }

  private readonly written = (): void => {
    const slab = this.leaving.shift()
    if (slab !== undefined) this.connection.slabs.give(slab)
    if (this.leaving.length > 0 || this.destroyed) return
    if (this.blocked) {
      this.blocked = false
      this.drainListener?.()
    }
    if (!this.ended || this.used > 0 || this.writableFinished) return
    this.writableFinished = true
    this.stopWatch?.()
    this.connection.answered(this.closes)
  }
}

function flushAnswer(answer: ConnectionAnswer): void {
  answer.flush()
}
