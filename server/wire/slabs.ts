/**
 * Memory for bytes on their way, used again and again. A fresh ArrayBuffer for each body is memory that only a major garbage
 * collection gives back: 400 bodies of 150 KB are one such collection of the whole heap.
 */
export interface Slabs {
  /** At least `bytes` long, with whatever was in it before. Give it back when nobody reads it any more; losing it is allowed. */
  take(bytes: number): Buffer
  /** Only what {@link take} gave, whole, and once. */
  give(slab: Buffer): void
}

const smallest = 12
const largest = 20
/** Kept for the next taker; beyond it memory goes back to the system. */
const mostKeptBytes = 64 * 1024 * 1024

export function createSlabs(): Slabs {
  const free: Buffer[][] = Array.from({ length: largest + 1 }, () => [])
  let keptBytes = 0

  return {
    take(bytes) {
      if (bytes > 1 << largest) return Buffer.allocUnsafeSlow(bytes)
      const size = bytes <= 1 << smallest ? smallest : 32 - Math.clz32(bytes - 1)
      const slab = free[size]!.pop()
      if (slab === undefined) return Buffer.allocUnsafeSlow(1 << size)
      keptBytes -= slab.length
      return slab
    },
    give(slab) {
      const size = 31 - Math.clz32(slab.length)
      if (size < smallest || size > largest || slab.length !== 1 << size) return
      if (keptBytes + slab.length > mostKeptBytes) return
      keptBytes += slab.length
      free[size]!.push(slab)
    },
  }
}
