// The address that a request comes from, also behind reverse proxies.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { createNetworkList } from '../networks.ts'

/** The parts of a request that say where it comes from. */
type AddressedRequest = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } }

export type ClientAddress = (req: AddressedRequest) => string

/**
 * Gives the address that a request comes from. Without `trusted` proxies (CIDRs) that is the connection's own, whatever
 * the headers say. With them, `x-forwarded-for` is read from the right, hop by hop, for as long as the hop that wrote it
 * is trusted: what a client put in front of it itself is never reached.
 */
export function createClientAddress(trusted: readonly string[]): ClientAddress {
  if (trusted.length === 0) return ({ socket }) => socket.remoteAddress ?? ''
  const networks = createNetworkList(trusted)

  return ({ socket, headers }) => {
    let address = socket.remoteAddress ?? ''
    const header = headers['x-forwarded-for']
    if (header === undefined || address === '') return address
    const hops = String(header).split(',')
    while (hops.length > 0 && networks.contains(address)) {
      const hop = bareAddress(hops.pop() ?? '')
      // No address: the last proxy passed on what a client wrote.
      if (hop === null) break
      address = hop
    }
    return address
  }
}

/** `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1` or `[2001:db8::1]:567` without the port; null for anything else. */
function bareAddress(text: string): string | null {
  const trimmed = text.trim()
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(trimmed)?.[1] ?? trimmed
  return isIP(bare) > 0 ? bare : null
}
