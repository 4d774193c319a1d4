/** A count for narrow places: 1,234 · 45.6k · 7.89M. */
export function shortCount(count: number): string {
  if (count < 10_000) return count.toLocaleString('en-US')
  const [size, unit] =
    count < 999_500 ? [count / 1000, 'k'] : count < 999_500_000 ? [count / 1e6, 'M'] : [count / 1e9, 'B']
  return `${size.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0)}${unit}`
}
