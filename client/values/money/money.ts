const nanoPerUsd = 1_000_000_000n

/**
 * Nano-USD as dollars, rounded for reading: at least two decimals, small amounts with as many as show three
 * significant digits (at most six). `exactUsd` has them all.
 */
export function shortUsd(nanoUsd: string | bigint): string {
  const value = BigInt(nanoUsd)
  const size = value < 0n ? -value : value
  if (size === 0n) return '$0.00'
  const places = size >= nanoPerUsd ? 2 : size >= nanoPerUsd / 100n ? 4 : 6
  const unit = 10n ** BigInt(9 - places)
  const rounded = ((size + unit / 2n) / unit) * unit
  // Something was spent: it must not read as nothing.
  if (rounded === 0n) return value < 0n ? '>-$0.000001' : '<$0.000001'
  return sign(value) + digits(rounded, places)
}

/** Nano-USD as dollars with every digit that is not a trailing zero. */
export function exactUsd(nanoUsd: string | bigint): string {
  const value = BigInt(nanoUsd)
  const size = value < 0n ? -value : value
  // Two decimals at least: $1234.50, not $1234.5.
  return sign(value) + digits(size, 9).replace(/(\.\d\d\d*?)0+$/, '$1')
}

/** Dollars as a person types them → nano-USD; undefined when it is not an amount of zero or more. */
export function parseUsd(text: string): string | undefined {
  const match = /^\$?\s*(\d{1,9})(?:\.(\d{0,9}))?$/.exec(text.trim())
  if (match === null) return undefined
  return String(BigInt(match[1] ?? '0') * nanoPerUsd + BigInt((match[2] ?? '').padEnd(9, '0')))
}

/** Nano-USD → the plain number for an input: no sign, no grouping. */
export const typedUsd = (nanoUsd: string): string => exactUsd(nanoUsd).replace(/[$,]/g, '')

/** Share of a limit in per cent, 0 to any; a limit of nothing is full. */
export function shareOf(spent: string, limit: string): number {
  const whole = BigInt(limit)
  if (whole <= 0n) return 100
  return Number((BigInt(spent) * 1000n) / whole) / 10
}

const sign = (value: bigint): string => (value < 0n ? '-' : '')

function digits(size: bigint, places: number): string {
  const whole = (size / nanoPerUsd).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `$${whole}.${(size % nanoPerUsd).toString().padStart(9, '0').slice(0, places)}`
}
