import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Everything that needs the master key: sealed texts, digests of API key secrets, derived keys. */
export interface Seal {
  /**
   * Encrypts with AES-256-GCM under a fresh nonce. `aad` names the row and column (`accounts:7:secret`); the text cannot be
   * opened for another. Returns `v1.<key id>.<base64url of nonce, ciphertext, tag>`.
   */
  seal(plain: string, aad: string): string
  /** Decrypts. Throws SealBroken for another key, another `aad`, and a text that was changed. */
  open(sealed: string, aad: string): string
  /** HMAC-SHA-256 as 64 hex digits, to look up API key secrets. */
  hmac(text: string): string
  /** 16 hex digits that identify the master key without revealing it; stored in the database. */
  fingerprint: string
  /** 32 bytes for `purpose`, by HKDF-SHA-256; always the same for the same master key. */
  derive(purpose: string): Buffer
}

/** A sealed text that cannot be opened. The message says why, without the text, the key or the aad. */
export class SealBroken extends Error {
  override name = 'SealBroken'
}

const nonceBytes = 12
const tagBytes = 16
const shape = /^v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)$/

/**
 * `masterKey` (32 bytes or more) seals and digests. `retired` are earlier master keys: texts sealed with them can be opened,
 * but digests made with them no longer match.
 */
export function createSeal(masterKey: Buffer, retired: readonly Buffer[] = []): Seal {
  for (const key of [masterKey, ...retired]) {
    if (key.length < 32) throw new RangeError(`a master key has at least 32 bytes, this one has ${key.length}`)
  }
  const fingerprint = fingerprintOf(masterKey)
  const keys = new Map([...retired, masterKey].map((key) => [fingerprintOf(key), expand(key, 'seal')]))
  const sealingKey = expand(masterKey, 'seal')
  const hmacKey = expand(masterKey, 'hmac')

  return {
    fingerprint,
    hmac: (text) => createHmac('sha256', hmacKey).update(text).digest('hex'),
    derive: (purpose) => expand(masterKey, `derive:${purpose}`),

    seal(plain, aad) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: tagBytes })
      cipher.setAAD(boundTo(fingerprint, aad))
      const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${fingerprint}.${body.toString('base64url')}`
    },

    open(sealed, aad) {
      const [, keyId, text] = shape.exec(sealed) ?? []
      if (keyId === undefined || text === undefined) throw new SealBroken('not a sealed text')
      const key = keys.get(keyId)
      if (key === undefined) throw new SealBroken('sealed with a key that this process does not have')
      const body = Buffer.from(text, 'base64url')
      if (body.length < nonceBytes + tagBytes) throw new SealBroken('the sealed text is cut short')
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes), { authTagLength: tagBytes })
      decipher.setAAD(boundTo(keyId, aad))
      decipher.setAuthTag(body.subarray(-tagBytes))
      try {
        return decipher.update(body.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        throw new SealBroken('the sealed text was changed, cut or belongs to another row')
      }
    },
  }
}

/** Binds version and key id as well, so that neither can be replaced. */
const boundTo = (keyId: string, aad: string): Buffer => Buffer.from(`v1.${keyId}.${aad}`)

const fingerprintOf = (masterKey: Buffer): string => expand(masterKey, 'fingerprint').toString('hex', 0, 8)

/** RFC 5869 without a salt, because the master key is already random. */
function expand(masterKey: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', `claude-code-relay:${info}`, 32))
}
