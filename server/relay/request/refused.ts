import type { Failure } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'

/** A request that was refused before any upstream was asked, and whose it is. */
export interface Refused {
  failure: Failure
  /** null: it came with no key of ours. */
  key: ApiKey | null
  /** The HMAC of an unknown secret; '' when none was sent, or the key is known. */
  secretHash: string
}

export const refusedKey = (key: ApiKey, failure: Failure): Refused => ({ failure, key, secretHash: '' })
