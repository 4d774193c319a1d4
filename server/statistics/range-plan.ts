import type { ZoneDay } from '../zone-days.ts'

export interface Range {
  fromMs: number
  /** Not included. */
  toMs: number
}

/** Pieces that together are exactly one range: whole days, whole hours, and the edges that only the ledger can sum. */
export interface RangePlan {
  /** First and last day of the deployment's zone. */
  days: { first: string; last: string } | null
  /** Whole hours in UTC. */
  hours: Range[]
  /** Shorter than an hour each. */
  edges: Range[]
}

const hourMs = 3_600_000

/**
 * Cuts a range. Nothing is later than `nowMs`: a range that ends there or later ends with the bucket of now, and one
 * that begins there is empty.
 */
export function planRange({ fromMs, toMs }: Range, dayAt: (atMs: number) => ZoneDay, nowMs: number): RangePlan {
  const plan: RangePlan = { days: null, hours: [], edges: [] }
  if (fromMs >= Math.min(toMs, nowMs + 1)) return plan
  const endMs = toMs > nowMs ? dayAt(nowMs).endMs : toMs
  const [firstMs, lastMs] = [dayFrom(fromMs, dayAt), dayAt(endMs).startMs]
  if (firstMs >= lastMs) {
    addHours(plan, fromMs, endMs)
    return plan
  }
  plan.days = { first: dayAt(firstMs).day, last: dayAt(lastMs - 1).day }
  addHours(plan, fromMs, firstMs)
  addHours(plan, lastMs, endMs)
  return plan
}

function dayFrom(atMs: number, dayAt: (atMs: number) => ZoneDay): number {
  const { startMs, endMs } = dayAt(atMs)
  return startMs === atMs ? atMs : endMs
}

function addHours({ hours, edges }: RangePlan, fromMs: number, toMs: number): void {
  const add = (list: Range[], from: number, to: number) => from < to && list.push({ fromMs: from, toMs: to })
  const firstMs = Math.ceil(fromMs / hourMs) * hourMs
  const lastMs = Math.floor(toMs / hourMs) * hourMs
  if (firstMs >= lastMs) {
    add(edges, fromMs, Math.min(firstMs, toMs))
    add(edges, Math.min(firstMs, toMs), toMs)
    return
  }
  add(edges, fromMs, firstMs)
  add(hours, firstMs, lastMs)
  add(edges, lastMs, toMs)
}
