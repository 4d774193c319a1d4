import { createServer, type Socket } from 'node:net'
import { listening } from './listening.ts'
import { splice } from './splice.ts'

export interface SocksProxy {
  /** socks5h://, with the credentials, %-escaped, when there are any. */
  url: string
  port: number
  /** host:port of every CONNECT command. A name here means that the client let the proxy resolve it. */
  targets: string[]
  close(): Promise<void>
}

export interface SocksProxyOptions {
  /** User and password that it requires (RFC 1929). */
  credentials?: { username: string; password: string }
  /** Answer every command with this reply (RFC 1928 §6) instead of a tunnel. */
  refuseWith?: number
}

/** A SOCKS5 proxy (RFC 1928). It resolves every name to 127.0.0.1. */
export async function createSocksProxy(options: SocksProxyOptions = {}): Promise<SocksProxy> {
  const { credentials, refuseWith } = options
  const targets: string[] = []

  async function serve(client: Socket): Promise<void> {
    const read = reader(client)
    const [, methods = 0] = await read(2)
    const offered = await read(methods)
    const method = credentials ? 2 : 0
    if (!offered.includes(method)) return void client.end(Buffer.of(5, 0xff))
    client.write(Buffer.of(5, method))
    if (credentials) {
      const [, userLength = 0] = await read(2)
      const username = (await read(userLength)).toString()
      const [passwordLength = 0] = await read(1)
      const password = (await read(passwordLength)).toString()
      const known = username === credentials.username && password === credentials.password
      client.write(Buffer.of(1, known ? 0 : 1))
      if (!known) return void client.end()
    }
    const [, , , kind] = await read(4)
    const host = await readHost(kind, read)
    const port = (await read(2)).readUInt16BE()
    targets.push(`${host}:${port}`)
    const reply = (code: number) => client.write(Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0))
    if (refuseWith !== undefined) {
      reply(refuseWith)
      return void client.end()
    }
    splice(client, port, read.rest(), (reached) => reply(reached ? 0 : 5))
  }

  const server = createServer((client) => {
    serve(client).catch(() => client.destroy())
  })
  const { port, close } = await listening(server)
  const login = credentials
    ? `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`
    : ''
  return { url: `socks5h://${login}127.0.0.1:${port}`, port, targets, close }
}

async function readHost(kind: number | undefined, read: Reader): Promise<string> {
  if (kind === 1) return [...(await read(4))].join('.')
  if (kind === 3) {
    const [length = 0] = await read(1)
    return (await read(length)).toString()
  }
  const bytes = await read(16)
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return `[${groups.join(':')}]`
}

interface Reader {
  /** Reads exactly this many bytes; rejects when the client ends first. */
  (size: number): Promise<Buffer>
  /** Stops reading and returns the bytes after the last read. */
  rest(): Buffer
}

function reader(socket: Socket): Reader {
  let held = Buffer.alloc(0)
  let wake: () => void = () => {}
  let ended = false
  const onData = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk])
    wake()
  }
  socket.on('data', onData)
  socket.once('close', () => {
    ended = true
    wake()
  })
  const read = async (size: number): Promise<Buffer> => {
    while (held.length < size) {
      if (ended) throw new Error('The client left during the handshake')
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const piece = held.subarray(0, size)
    held = held.subarray(size)
    return piece
  }
  const rest = (): Buffer => {
    socket.off('data', onData).pause()
    return held
  }
  return Object.assign(read, { rest })
}
