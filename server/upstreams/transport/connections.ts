import type { OnReadOpts, Socket } from 'node:net'
import { type AnswerListener, type Asked, Gathering, UpstreamConnection } from './connection.ts'
import type { Target } from './dispatchers.ts'

/** Kept-alive connections by origin and proxy, as many as are needed at once. */
export interface Connections {
  /** Sends on a free connection or a new one. Whatever is wrong comes through the listener. */
  ask(origin: string, proxy: string | null, asked: Asked, listener: AnswerListener): void
  /** Connections that are open are finished and not used again. */
  renew(): void
  /** Breaks off what is running and closes all; what is asked later fails. */
  close(): void
}

interface Pool {
  target: Target
  open: (target: Target, onread?: OnReadOpts) => Promise<Socket>
  /** The last one that became free is the first to be used again. */
  idle: UpstreamConnection[]
  count: number
  usedAt: number
  /** Nobody asks it any more. */
  retired: boolean
}

/** What is asked of the kernel at once: with a chunk's frame round it, it still fits the client's side of 64 KB. */
const readBytes = 63 * 1024
/** TLS gives a record at a time. */
const recordBytes = 16 * 1024

export function createConnections(parts: {
  createOpener: (proxy: string | null) => Pool['open']
  /** Throws for what is no http(s) origin. */
  targetOf: (origin: string) => Target
  /** How long a connection stays idle at most. */
  keepAliveMs: number
  /** How long a pool that nobody asks is kept. */
  unusedMs: number
}): Connections {
  const pools = new Map<string, Pool>()
  const all = new Set<UpstreamConnection>()
  /** One for all plain connections: what is read is used up before the next read. */
  const plainBuffer = Buffer.allocUnsafeSlow(readBytes)
  const gathering = new Gathering()
  let closed = false

  function poolOf(origin: string, proxy: string | null): Pool {
    // A space occurs in no origin.
    const name = proxy === null ? origin : `${origin} ${proxy}`
    let pool = pools.get(name)
    if (pool === undefined) {
      pool = {
        target: parts.targetOf(origin),
        open: parts.createOpener(proxy),
        idle: [],
        count: 0,
        usedAt: 0,
        retired: false,
      }
      pools.set(name, pool)
    }
    return pool
  }

  async function connect(pool: Pool): Promise<UpstreamConnection> {
    let connection: UpstreamConnection | null = null
    const isTls = pool.target.protocol === 'https:'
    let early = false
    const onread: OnReadOpts = {
      // A TLS socket may be written to, and then read, while another one's bytes are looked at: each has its own.
      buffer: isTls ? Buffer.allocUnsafeSlow(recordBytes) : plainBuffer,
      callback(length, bytes) {
        if (connection === null) {
          // Before anything was asked.
          early = true
          return true
        }
        return connection.received((bytes as Buffer).subarray(0, length))
      },
    }
    const socket = await pool.open(pool.target, onread)
    // A plain connection through a proxy was opened by others, without a place to read to.
    socket.on('data', (chunk: Buffer) => void connection?.received(chunk))
    connection = new UpstreamConnection(
      socket,
      gathering,
      (free) => {
        if (pool.retired) return free.destroy()
        const keepMs = performance.now() + parts.keepAliveMs
        if (free.usableUntil > keepMs) free.usableUntil = keepMs
        pool.idle.push(free)
      },
      (gone) => {
        all.delete(gone)
        pool.count--
        const at = pool.idle.indexOf(gone)
        if (at >= 0) pool.idle.splice(at, 1)
      },
    )
    pool.count++
    all.add(connection)
    if (early || socket.destroyed) connection.destroy()
    return connection
  }

  function free(pool: Pool): UpstreamConnection | undefined {
    for (;;) {
      const connection = pool.idle.pop()
      if (connection === undefined) return undefined
      if (connection.usable && connection.usableUntil > performance.now()) return connection
      connection.destroy()
    }
  }

  const sweep = setInterval(
    () => {
      const now = performance.now()
      for (const [name, pool] of pools) {
        for (const connection of pool.idle.filter(({ usableUntil }) => usableUntil <= now)) connection.destroy()
        if (pool.count === 0 && pool.usedAt < now - parts.unusedMs) pools.delete(name)
      }
    },
    Math.max(1, Math.min(parts.keepAliveMs / 4, parts.unusedMs / 2)),
  ).unref()

  return {
    ask(origin, proxy, asked, listener) {
      let pool: Pool
      try {
        pool = poolOf(origin, proxy)
      } catch (error) {
        return listener.onError(error as Error)
      }
      pool.usedAt = performance.now()
      const known = free(pool)
      if (known !== undefined) return known.ask(asked, listener)
      if (closed) return listener.onError(stopping())
      connect(pool).then(
        (connection) => {
          if (closed) connection.destroy(stopping())
          connection.ask(asked, listener)
        },
        (error: Error) => listener.onError(error),
      )
    },
    renew() {
      for (const pool of pools.values()) {
        pool.retired = true
        for (const connection of pool.idle.splice(0)) connection.destroy()
      }
      pools.clear()
    },
    close() {
      closed = true
      clearInterval(sweep)
      for (const connection of all) connection.destroy(stopping())
    },
  }
}

const stopping = (): Error => Object.assign(new Error('The relay is stopping'), { code: 'UPSTREAM_CLOSED' })
