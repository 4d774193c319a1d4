import type { Events } from '../store/events.ts'

const topic = 'jobs.next'

/** When jobs run next, by name, in epoch milliseconds. */
type Moments = Record<string, number>

/** When jobs run next: the clocks of the process that leads, which tells them to all others. */
export function createNextRuns(parts: {
  events: Pick<Events, 'publish' | 'subscribe'>
  leads: () => boolean
  /** The clocks of this process. */
  own: () => Moments
  now: () => number
}) {
  let told: Moments = {}
  let unsubscribe = async (): Promise<void> => {}

  return {
    async start(): Promise<void> {
      unsubscribe = await parts.events.subscribe(topic, (message) => {
        told = message as Moments
      })
    },

    /** To be called again and again: a process that has just started hears of it then. */
    tell(): void {
      if (parts.leads()) parts.events.publish(topic, parts.own())
    },

    /** Null while nobody leads, and until the process that does has told it. */
    of({ name, everyMs }: { name: string; everyMs: number }): number | null {
      if (parts.leads()) return parts.own()[name] ?? null
      const atMs = told[name]
      if (atMs === undefined) return null
      // It has run since then, and the news is on its way.
      return atMs + Math.max(0, Math.ceil((parts.now() - atMs) / everyMs)) * everyMs
    },

    stop: (): Promise<void> => unsubscribe(),
  }
}
