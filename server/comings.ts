/**
 * Collections of what comes and goes by the thousand a second. Not a Set or Map as they are: V8 gives those a new table every few
 * dozen removals, and each old table points to its successor. A table that has grown old so keeps all later ones, with whatever
 * was in them, until the next major garbage collection: a relay's requests all outlived their end by that.
 */

/** An item knows its place. */
export interface Coming {
  /** -1 while it is nowhere. Only {@link createComings} writes it. */
  place: number
}

/** Few at a time, in no order. */
export interface Comings<T extends Coming> {
  add(item: T): void
  /** Nothing happens to what is not there. */
  delete(item: T): void
  size(): number
  /** Calls back for each. What it calls may take away the item itself, and others; what comes meanwhile is not visited. */
  visit(each: (item: T) => void): void
}

export function createComings<T extends Coming>(): Comings<T> {
  const items: T[] = []
  return {
    add(item) {
      if (item.place >= 0) return
      item.place = items.length
      items.push(item)
    },
    delete(item) {
      const { place } = item
      if (place < 0) return
      item.place = -1
      const last = items.pop()!
      if (last === item) return
      items[place] = last
      last.place = place
    },
    size: () => items.length,
    visit(each) {
      for (const item of items.slice()) if (item.place >= 0) each(item)
    },
  }
}
