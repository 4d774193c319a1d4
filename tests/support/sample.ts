import process from 'node:process'

/** `npm run test:long`: every case, and times as they are in life. */
export const runsWhole = Boolean(process.env['TEST_EVERY_BYTE'])

/** Cases of a property test: so many in `npm test`, and so many in `npm run test:long`. */
export const casesOf = (sample: number, whole: number): number => (process.env['TEST_EVERY_BYTE'] ? whole : sample)

/**
 * The numbers from 0 to `count` - 1 at which a stream is cut or broken off: all of them in `npm run test:long`, elsewhere a fixed
 * sample of about `size` with both ends.
 */
export function sampleOf(count: number, size = 60): number[] {
  const all = Array.from({ length: count }, (_, index) => index)
  if (runsWhole) return all
  // An odd step does not hit the same position of every line or chunk.
  const step = Math.ceil(count / size) | 1
  return all.filter((index) => index % step === 0 || index === count - 1)
}
