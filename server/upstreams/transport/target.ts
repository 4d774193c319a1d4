import type { Account } from '../../accounts/account.ts'

/** Where a request goes, and how far. Only administrators open the way into private networks. */
export interface Target {
  /** scheme://host:port */
  origin: string
  proxy: string | null
  /** The networks that administrators granted may be reached, beside public addresses. */
  originIsTrusted: boolean
  /** An administrator chose the proxy: it may lie anywhere. */
  proxyIsTrusted: boolean
}

export const targetOf = ({ origin, proxy, isApproved, proxyIsTrusted }: Account): Target => ({
  origin,
  proxy,
  originIsTrusted: isApproved,
  proxyIsTrusted,
})
