/**
 * Encrypted reasoning of a Responses upstream travels to Claude Code and back in the signature of a thinking block. The prefix
 * tells it from Anthropic's own signatures, which no other upstream may get, and which ours must not reach.
 */
const prefix = 'relay-responses-1:'

export const markedSignature = (encrypted: string): string => prefix + encrypted

/** The encrypted reasoning of a signature of ours; null for any other signature. */
export const encryptedOf = (signature: string): string | null =>
  signature.startsWith(prefix) ? signature.slice(prefix.length) : null
