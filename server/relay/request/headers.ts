// Which headers of a client's request go up.

/** Everything goes up as it came but for what is named here: vendors add headers at any time. */
const droppedFromRequests = new Set([
  // The caller's credentials, and selectors of whose money is spent.
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'anthropic-workspace-id',
  'anthropic-user-profile-id',
  'openai-organization',
  'openai-project',
  'chatgpt-account-id',
  // Hop by hop, or made anew for the upstream.
  'host',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'content-encoding',
  'accept-encoding',
  // Where the request came from: not the upstream's business, and spoofable.
  'anthropic-dangerous-direct-browser-access',
  'origin',
  'referer',
  'cookie',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'fastly-client-ip',
])
const droppedPrefixes = ['x-forwarded-', 'cf-', 'sec-fetch-']

/** True when a request header (lower case) stays here. */
function staysHere(name: string): boolean {
  return droppedFromRequests.has(name) || droppedPrefixes.some((prefix) => name.startsWith(prefix))
}

/** Names as they came → lower case when it may go up, null when not. Clients repeat themselves: bounded, not emptied. */
const dispositions = new Map<string, string | null>()
function dispositionOf(name: string): string | null {
  let disposition = dispositions.get(name)
  if (disposition === undefined) {
    const lower = name.toLowerCase()
    disposition = staysHere(lower) ? null : lower
    if (dispositions.size < 2000 && name.length <= 64) dispositions.set(name, disposition)
  }
  return disposition
}

/**
 * Reads a request's raw headers once: name, value, name, value … of all that may go up, as they came, without credentials.
 * `connection` is that header's value: the names it lists are hop-by-hop too.
 */
export function readRequestHeaders(raw: readonly string[], connection: string | undefined): string[] {
  const alsoDropped =
    connection === undefined || connection === 'keep-alive' || connection === 'close'
      ? undefined
      : new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const lower = dispositionOf(raw[i]!)
    if (lower !== null && !alsoDropped?.has(lower)) headers.push(raw[i]!, raw[i + 1]!)
  }
  return headers
}

/** What must not stand in a header's value: it would end the line, or is no character of one. */
const unfit = /[^\t\x20-\x7e\x80-\xff]/

/** False for a secret that no header can carry. */
export const fitsHeader = (secret: string): boolean => !unfit.test(secret)
