import { randomUUID } from 'node:crypto'
import { runAgain } from '../run-again.ts'
import type { Events, Json } from '../store/events.ts'

export type Noun = 'account' | 'group' | 'key' | 'price' | 'rule' | 'settings'

/** Topic; message: which row was changed. */
const rowChanged = 'row.changed'

interface RowChange {
  noun: Noun
  /** null: any row of the noun may have changed. */
  id: number | null
  from: string
}

/**
 * Brings changed rows into the memory of every process. Whoever changes a row publishes its noun and id, and each process
 * reads that row alone. Reads run one at a time, so that an older one never overwrites a newer one.
 */
export async function createReload(parts: {
  events: Events
  /** Reads one row of a noun; without an id, all of them. */
  load: Readonly<Record<Noun, (id?: number) => Promise<void>>>
  /** Called once a change that was made in this process is in its memory. */
  onChanged: (noun: Noun, id: number | undefined) => void
}) {
  const { events, load } = parts
  const self = randomUUID()
  const changedIds = new Map<Noun, Set<number | undefined>>()

  const readChanged = runAgain(async () => {
    const batch = [...changedIds]
    changedIds.clear()
    const failures: unknown[] = []
    for (const [noun, ids] of batch) {
      try {
        if (ids.has(undefined)) await load[noun]()
        else for (const id of ids) await load[noun](id)
      } catch (error) {
        // Which rows were read is unknown: the next read takes all of them.
        mark(noun, undefined)
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  })

  function mark(noun: Noun, id: number | undefined): void {
    const ids = changedIds.get(noun) ?? new Set()
    changedIds.set(noun, ids.add(id))
  }

  /** Reads a row into the memory of this process; without an id, all rows of the noun. */
  function read(noun: Noun, id?: number): Promise<void> {
    mark(noun, id)
    return readChanged()
  }

  /** Tells the other processes. */
  function publish(noun: Noun, id?: number): void {
    const message: RowChange = { noun, id: id ?? null, from: self }
    events.publish(rowChanged, message as unknown as Json)
  }

  await events.subscribe(rowChanged, async (message) => {
    const { noun, id, from } = message as unknown as RowChange
    if (from !== self) await read(noun, id ?? undefined)
  })

  return {
    read,
    publish,
    /** A row was changed in the database; without an id, any of the noun. Resolves when the change is in force here. */
    async changed(noun: Noun, id?: number): Promise<void> {
      publish(noun, id)
      await read(noun, id)
      parts.onChanged(noun, id)
    },
  }
}
