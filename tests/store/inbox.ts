import type { Json } from '../../server/store/events.ts'

/** Collects messages; `until(n)` resolves with all of them when there are n. */
export function createInbox(): {
  listener: (message: Json) => void
  messages: Json[]
  until(count: number): Promise<Json[]>
} {
  const messages: Json[] = []
  let wake = (): void => undefined
  return {
    messages,
    listener: (message) => {
      messages.push(message)
      wake()
    },
    async until(count) {
      while (messages.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return messages
    },
  }
}
