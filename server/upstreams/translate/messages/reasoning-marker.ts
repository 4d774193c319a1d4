/**
 * Reasoning of other upstreams travels to Claude Code and back in thinking blocks. What stands in their signatures tells them from
 * Anthropic's own, which no other upstream may get, and which ours must not reach. Encrypted reasoning is good for the account
 * that wrote it.
 */
export const reasoningMark = 'relay-reasoning:'

export const markedSignature = (accountId: number, encrypted: string): string =>
  `${reasoningMark}${accountId}:${encrypted}`

/** The encrypted reasoning in a signature of ours; null where there is none, or of another account. */
export function encryptedOf(signature: string, accountId: number): string | null {
  const own = markedSignature(accountId, '')
  return signature.startsWith(own) && signature.length > own.length ? signature.slice(own.length) : null
}
