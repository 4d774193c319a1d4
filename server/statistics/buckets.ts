/** The upper bounds of the buckets of the rollups, in milliseconds; a last bucket takes the rest. */
export const durationBoundsMs = [500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 180_000]
export const firstByteBoundsMs = [250, 500, 1000, 2000, 5000, 10_000, 30_000]

/**
 * A percentile of the values in buckets: within a bucket as if they lay evenly. Of the last one, which has no upper bound, its
 * lower bound; null when there are none.
 */
export function percentileOf(counts: readonly number[], boundsMs: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let before = 0
  for (const [index, count] of counts.entries()) {
    const low = index === 0 ? 0 : boundsMs[index - 1]!
    const high = boundsMs[index] ?? low
    if (count > 0 && before + count >= share * total)
      return Math.round(low + (high - low) * Math.max(0, (share * total - before) / count))
    before += count
  }
  return boundsMs.at(-1) ?? null
}
