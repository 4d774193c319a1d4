/**
 * Upstreams that quote the credential they were opened with: what they say goes on without it, into rows, the log, and to
 * clients. Looked for as it was sent, in errors and in what is kept of answers.
 */
const instead = '[redacted]'
/** Shorter ones are no secrets, and would be found in anything. */
const shortestSecret = 16

const isSecret = (secret: string): boolean => secret.length >= shortestSecret

/** The text without the secret, which is taken out wherever it stands. */
export function withoutSecret(text: string, secret: string): string {
  return isSecret(secret) && text.includes(secret) ? text.replaceAll(secret, instead) : text
}

export const hasSecret = (bytes: Buffer, secret: string): boolean => isSecret(secret) && bytes.includes(secret)

/** The same for bytes; all others stay as they are. */
export function bytesWithoutSecret(bytes: Buffer, secret: string): Buffer {
  if (!hasSecret(bytes, secret)) return bytes
  return Buffer.from(bytes.toString('latin1').replaceAll(secret, instead), 'latin1')
}
