import type { Fields } from '../untranslatable.ts'

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

/** Anthropic's own thinking on its way through a client of Responses, as encrypted reasoning. */
export const markedThinking = (accountId: number, kind: 'thinking' | 'redacted', value: string): string =>
  markedSignature(accountId, `${kind}:${value}`)

/** The block of thinking that came back so, with the summary that the client got beside it; null where there is none. */
export function thinkingBlockOf(encrypted: string, summary: string, accountId: number): Fields | null {
  const found = /^(thinking|redacted):(.+)$/s.exec(encryptedOf(encrypted, accountId) ?? '')
  if (!found) return null
  return found[1] === 'thinking'
    ? { type: 'thinking', thinking: summary, signature: found[2] }
    : { type: 'redacted_thinking', data: found[2] }
}
