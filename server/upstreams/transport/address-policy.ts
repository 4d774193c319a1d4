import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Which addresses the relay itself may open a connection to. Pure: names are resolved elsewhere. */
export interface AddressPolicy {
  /**
   * May `address` (an IP literal without brackets) be reached? Over https: public addresses and those on the
   * allow-list; over plain http: those on the allow-list only. Anything that is not an IP literal is refused.
   */
  admits(protocol: string, address: string): boolean
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

// What IANA hands out for global unicast; ipaddr.js also calls the unassigned rest "unicast".
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/** True for addresses of the public internet; mapped, tunnelled, translated and documentation forms are not. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast)
}

function parseAllowed(entry: string): [Address, number] {
  // isIP besides, because ipaddr.js also takes 10.0.0/8 and octal forms, and means something else by them.
  const isAddress = isIP(entry.replace(/\/.*$/s, '')) !== 0
  if (isAddress && ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry)
  if (isIP(entry) === 0) throw new Error(`UPSTREAM_ALLOW: "${entry}" is neither an address nor a CIDR range`)
  const address = ipaddr.parse(entry)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

/** Builds the policy from CIDR ranges (a bare address counts as one host); throws on text that is neither. */
export function createAddressPolicy(allow: readonly string[]): AddressPolicy {
  const allowed = allow.map(parseAllowed)

  const isAllowed = (address: Address): boolean => allowed.some(([range, bits]) => matches(address, range, bits))

  return {
    admits(protocol, text) {
      if (isIP(text) === 0) return false
      const address = ipaddr.parse(text)
      // The system connects ::ffff:a.b.c.d to a.b.c.d, so an allow-list of IPv4 ranges covers both spellings.
      if (isAllowed(address) || isAllowed(ipaddr.process(text))) return true
      return protocol === 'https:' && isPublic(address)
    },
  }
}

function matches(address: Address, range: Address, bits: number): boolean {
  if (address instanceof ipaddr.IPv4) return range instanceof ipaddr.IPv4 && address.match(range, bits)
  return range instanceof ipaddr.IPv6 && address.match(range, bits)
}
