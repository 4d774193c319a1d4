import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Collects garbage, so that what memoryUsage() says is what is held. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

/** Bytes that are held now: JavaScript's heap, and buffers outside of it. */
export function heldMemory(): { heap: number; buffers: number } {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers }
}

/** MB that are held more after the work than before it. */
export async function megabytesMoreAfter(work: () => Promise<void>): Promise<number> {
  const before = heldMemory()
  await work()
  const after = heldMemory()
  return (after.heap + after.buffers - before.heap - before.buffers) / 1024 / 1024
}
