/** How often somebody may do something: `burst` times at once, and after that `perSecond`. */
export interface Rate<Name> {
  /** Takes one from the bucket of `name`; false: it is empty. */
  allows(name: Name): boolean
  /** Whether `allows` would say yes; takes nothing. */
  mayAllow(name: Name): boolean
}

/** Buckets by name. Of more names than `maxNames` those that have not asked for longest begin anew. */
export function createRate<Name>(parts: {
  burst: number
  perSecond: number
  now: () => number
  maxNames?: number
}): Rate<Name> {
  const { burst, perSecond, now, maxNames = 10_000 } = parts
  /** In the order of their last use. */
  const buckets = new Map<Name, { left: number; atMs: number }>()
  const leftOf = (name: Name, atMs: number): number => {
    const bucket = buckets.get(name)
    return bucket ? Math.min(burst, bucket.left + (Math.max(0, atMs - bucket.atMs) / 1000) * perSecond) : burst
  }
  return {
    mayAllow: (name) => leftOf(name, now()) >= 1,
    allows(name) {
      const atMs = now()
      const bucket = { left: leftOf(name, atMs), atMs }
      buckets.delete(name)
      buckets.set(name, bucket)
      if (buckets.size > maxNames) buckets.delete(buckets.keys().next().value as Name)
      if (bucket.left < 1) return false
      bucket.left--
      return true
    },
  }
}
