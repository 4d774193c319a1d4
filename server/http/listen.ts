// Opens the port, with errors that say what to do.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../config/config.ts'

/**
 * Listens, and gives the address as people can open it from this machine. Rejects with a message that names host, port
 * and remedy.
 */
export async function listen(server: Server, { host, port }: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(listenProblem(error, host, port))))
    server.listen(port, host, () => resolve())
  })
  const { family, address, port: taken } = server.address() as AddressInfo
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${taken}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
}

function listenProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is in use by another program. Stop it, or set PORT to another port (0 takes any free one).`
  if (code === 'EACCES') return `Port ${port} on ${host} may not be opened by this user. Set PORT to 1024 or above.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST ${host} is not an address of this machine. 127.0.0.1 serves this machine alone, 0.0.0.0 every interface.`
  return `Cannot listen on ${host}, port ${port}: ${message}`
}
