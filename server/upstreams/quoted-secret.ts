/**
 * Some upstreams quote the credential that we sent. It is cut from what they say before that reaches a row, the log or a
 * client. It is looked for as it was sent, in errors and in what is kept of responses.
 */
const instead = '[redacted]'
/** Shorter ones are no secrets, and would be found in anything. */
const minSecretChars = 16

const isSecret = (secret: string): boolean => secret.length >= minSecretChars

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
