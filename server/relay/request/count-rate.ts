// Limits how often a key may ask for token counts: they are free, and so have a bucket of their own for each key.

/** `/context` in Claude Code asks 26 times in a tenth of a second. */
const burst = 200
const perSecond = 50

/** `allows` takes one request from the key's bucket, or returns false when it is empty. */
export function createCountRate(now: () => number): { allows(keyId: number): boolean } {
  const buckets = new Map<number, { left: number; atMs: number }>()
  return {
    allows(keyId) {
      const atMs = now()
      const bucket = buckets.get(keyId) ?? { left: burst, atMs }
      bucket.left = Math.min(burst, bucket.left + (Math.max(0, atMs - bucket.atMs) / 1000) * perSecond)
      bucket.atMs = atMs
      buckets.set(keyId, bucket)
      if (bucket.left < 1) return false
      bucket.left--
      return true
    },
  }
}
