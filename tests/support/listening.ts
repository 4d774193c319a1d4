import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

/** A server that listens on 127.0.0.1. It knows its open sockets, so that closing does not wait for clients. */
export interface Listening {
  port: number
  sockets: Set<Socket>
  close: () => Promise<void>
}

/** Starts `server`; with port 0 the system chooses one. */
export async function listening(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    // Tests reset connections; without a listener the error would end the test process.
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
