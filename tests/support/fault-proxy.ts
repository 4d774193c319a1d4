import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { deferred } from './deferred.ts'
import { listening } from './listening.ts'

export type Direction = 'toUpstream' | 'toClient'

/** The faults of one direction. Bytes are counted per connection, from its start. */
export interface Faults {
  /** Delay of each chunk. */
  latencyMs: number
  /** Infinity: no limit. */
  bytesPerSecond: number
  /** Bytes per write, each in its own turn of the event loop; Infinity leaves chunks as they are. */
  sliceBytes: number
  /** While true, nothing passes and nothing is closed. */
  silent: boolean
  /** Delay of the FIN. */
  slowCloseMs: number
  /** Sends a RST to both sides after this many bytes. */
  resetAfterBytes: number
  /** Sends a FIN after this many bytes and drops the rest. */
  limitBytes: number
}

export interface FaultProxy {
  url: string
  port: number
  /** Changes a direction at once, for open and for new connections. */
  set(direction: Direction, faults: Partial<Faults>): void
  /** Removes all faults of both directions. */
  clear(): void
  /** Refuses new connections and closes the open ones. */
  down(): Promise<void>
  /** Accepts again, at the same port; in front of another target where one is given. */
  up(target?: string): Promise<void>
  /** Open connections now. */
  connections(): number
  /** Connections accepted so far. */
  accepted(): number
  close(): Promise<void>
}

const none: Readonly<Faults> = {
  latencyMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  silent: false,
  slowCloseMs: 0,
  resetAfterBytes: Number.POSITIVE_INFINITY,
  limitBytes: Number.POSITIVE_INFINITY,
}

/** A TCP proxy in front of `target` (http(s)://host:port; only host and port are used) with faults on demand. */
export async function createFaultProxy({ target }: { target: string }): Promise<FaultProxy> {
  let place = new URL(target)
  const faults: Record<Direction, Faults> = { toUpstream: { ...none }, toClient: { ...none } }
  let changed = deferred()
  let accepted = 0

  const change = (): void => {
    changed.resolve()
    changed = deferred()
  }

  const accept = (client: Socket): void => {
    accepted += 1
    const upstream = connect({ host: place.hostname, port: Number(place.port), allowHalfOpen: true, noDelay: true })
    upstream.on('error', () => {})
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
    const changes = () => changed.promise
    void pump(client, upstream, faults.toUpstream, changes)
    void pump(upstream, client, faults.toClient, changes)
  }

  const newServer = (): Server => createServer({ allowHalfOpen: true, noDelay: true }, accept)
  let open = await listening(newServer())
  const { port } = open
  let isUp = true

  return {
    url: `${place.protocol}//127.0.0.1:${port}`,
    port,
    set(direction, more) {
      Object.assign(faults[direction], more)
      change()
    },
    clear() {
      Object.assign(faults.toUpstream, none)
      Object.assign(faults.toClient, none)
      change()
    },
    async down() {
      if (!isUp) return
      isUp = false
      await open.close()
    },
    async up(other) {
      if (isUp) return
      if (other !== undefined) place = new URL(other)
      open = await listening(newServer(), port)
      isUp = true
    },
    connections: () => open.sockets.size,
    accepted: () => accepted,
    async close() {
      if (isUp) await open.close()
      isUp = false
      change()
    },
  }
}

/** Forwards one direction of one connection until it ends, with the current faults. */
async function pump(from: Socket, to: Socket, faults: Faults, changes: () => Promise<void>): Promise<void> {
  let passed = 0
  try {
    // By default the end of one direction would close the other.
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      let rest = chunk as Buffer
      if (faults.latencyMs > 0) await delay(faults.latencyMs)
      while (rest.length > 0) {
        while (faults.silent && !to.destroyed) await Promise.race([changes(), once(to, 'close')])
        const size = Math.min(rest.length, sliceOf(faults), faults.resetAfterBytes - passed, faults.limitBytes - passed)
        const piece = rest.subarray(0, Math.max(0, size))
        rest = rest.subarray(piece.length)
        await write(to, piece)
        passed += piece.length
        if (passed >= faults.resetAfterBytes) return await resetAfterReading(from, to)
        if (passed >= faults.limitBytes) return void to.end()
        if (Number.isFinite(faults.bytesPerSecond)) await delay((piece.length / faults.bytesPerSecond) * 1_000)
        else if (Number.isFinite(faults.sliceBytes)) await turn()
      }
    }
    if (faults.slowCloseMs > 0) await delay(faults.slowCloseMs)
    while (faults.silent && !to.destroyed) await Promise.race([changes(), once(to, 'close')])
    to.end()
  } catch {
    // The source was reset: the other side is reset too.
    reset(from, to)
  }
}

// A slow connection delivers about 50 pieces a second instead of a whole chunk at once.
const sliceOf = ({ sliceBytes, bytesPerSecond }: Faults): number =>
  Math.min(sliceBytes, Math.max(1, Math.ceil(bytesPerSecond / 50)))

function write(to: Socket, piece: Buffer): Promise<void> {
  if (piece.length === 0 || to.destroyed) return Promise.resolve()
  return new Promise((resolve) => to.write(piece, () => resolve()))
}

// Node takes a RST that arrives together with data for a regular end: let a client in this process read first.
async function resetAfterReading(...sockets: Socket[]): Promise<void> {
  await turn()
  await turn()
  reset(...sockets)
}

function reset(...sockets: Socket[]): void {
  for (const socket of sockets) {
    if (!socket.destroyed) socket.resetAndDestroy()
  }
}
