import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

/** A listening server on 127.0.0.1, its open sockets known, so that closing never waits. */
export interface Listening {
  port: number
  sockets: Set<Socket>
  close: () => Promise<void>
}

/** Starts `server`, at a port of the system's choice unless told otherwise. */
export async function listening(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    // A peer's reset is what these tools are for; without a listener it would end the test process.
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
