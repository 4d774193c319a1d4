import { isIP, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Networks in CIDR form, such as 10.0.0.0/8. */
export interface NetworkList {
  /** True when `address` (an IP literal without brackets) is in one of them. ::ffff:a.b.c.d counts as a.b.c.d too. */
  contains(address: string): boolean
}

/** The CIDR form of a network or of a single address; undefined for anything else. */
export function readNetwork(text: string): string | undefined {
  // isIP, because ipaddr.js also reads forms such as 10.1 and 0x7f.1, which are mistakes in a list of networks.
  const version = isIP(text.split('/')[0] ?? '')
  if (version === 0) return undefined
  const network = text.includes('/') ? text : `${text}/${version === 6 ? 128 : 32}`
  return ipaddr.isValidCIDR(network) ? network : undefined
}

/** Throws on text that `readNetwork` cannot read. */
export function createNetworkList(networks: readonly string[]): NetworkList {
  const ranges = networks.map((text) => {
    const network = readNetwork(text)
    if (network === undefined) throw new Error(`"${text}" is neither an address nor a CIDR range`)
    return ipaddr.parseCIDR(network)
  })
  const isInside = (address: Address) =>
    ranges.some((range) => range[0].kind() === address.kind() && address.match(range))
  return {
    contains: (text) => isIP(text) !== 0 && (isInside(ipaddr.parse(text)) || isInside(ipaddr.process(text))),
  }
}

/** The range that IANA assigns for global unicast; ipaddr.js also calls unassigned ranges "unicast". */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** True for addresses of the public internet. Mapped, tunnelled, translated and documentation addresses are not public. */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast)
}

/** What counts as one client: an address, of IPv6 the /64 network, because whoever has one of its addresses has all of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!isIPv6(plain)) return plain
  const groups = (ipaddr.parse(plain) as ipaddr.IPv6).parts.slice(0, 4)
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`
}
