// The rate at which a key may ask for token counts.
/** count_tokens is free, but not boundless: a bucket a key. `/context` in Claude Code asks 26 times in a tenth of a second. */
const burst = 200
const perSecond = 50

/** `now` in epoch milliseconds; `allows` takes one request from the key's bucket, or says that it is empty. */
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
