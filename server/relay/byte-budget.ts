// Bytes that all requests together may keep in memory, with a share for each key, so that one key never takes all.

/** The part of one key. */
export interface ByteShare {
  /** False: so much is not there, or not for this key. */
  take(bytes: number): boolean
  give(bytes: number): void
}

export interface ByteBudget {
  shareOf(keyId: number): ByteShare
  /** What all keys have taken. */
  taken(): number
}

/**
 * `total` bytes. A key may take what it likes up to `floor`, beyond that at most twice of what is then left for the others: one
 * key alone gets two thirds, and however many there are, something is left for the next.
 */
export function createByteBudget(total: number, floor: number): ByteBudget {
  const takenBy = new Map<number, number>()
  let taken = 0
  return {
    shareOf: (keyId) => ({
      take(bytes) {
        const left = total - taken - bytes
        const own = (takenBy.get(keyId) ?? 0) + bytes
        if (left < 0 || own > Math.max(floor, 2 * left)) return false
        taken += bytes
        takenBy.set(keyId, own)
        return true
      },
      give(bytes) {
        taken -= bytes
        const own = (takenBy.get(keyId) ?? 0) - bytes
        if (own > 0) takenBy.set(keyId, own)
        else takenBy.delete(keyId)
      },
    }),
    taken: () => taken,
  }
}
