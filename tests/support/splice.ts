import { connect, type Socket } from 'node:net'

/**
 * Connects `client` with 127.0.0.1:port. `answer` is called once, when it is known whether the port can be reached. `head`
 * holds the bytes that the client has already sent for it.
 */
export function splice(client: Socket, port: number, head: Buffer, answer: (reached: boolean) => void): void {
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
  let reached = false
  upstream.once('connect', () => {
    reached = true
    answer(true)
    if (head.length > 0) upstream.write(head)
    client.pipe(upstream).pipe(client)
  })
  upstream.on('error', () => {
    if (reached) return void client.destroy()
    answer(false)
    client.end()
  })
  upstream.once('close', () => {
    if (reached) client.destroy()
  })
  client.once('close', () => upstream.destroy())
}
