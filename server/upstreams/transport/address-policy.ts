import { createNetworkList, isPublicAddress } from '../../networks.ts'

/** Which addresses the relay itself may open a connection to. Pure: names are resolved elsewhere. */
export interface AddressPolicy {
  /**
   * May `address` (an IP literal without brackets) be reached? Over https: public addresses and those on the
   * allow-list; over plain http: those on the allow-list only. Anything that is not an IP literal is refused.
   */
  admits(protocol: string, address: string): boolean
}

/** Builds the policy from CIDR ranges (a bare address counts as one host); throws on text that is neither. */
export function createAddressPolicy(allow: readonly string[]): AddressPolicy {
  const allowed = createNetworkList(allow)
  return {
    admits: (protocol, address) => allowed.contains(address) || (protocol === 'https:' && isPublicAddress(address)),
  }
}
