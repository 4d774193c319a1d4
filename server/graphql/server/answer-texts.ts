import { randomUUID } from 'node:crypto'
import type { ExecutionResult } from 'graphql'

/**
 * Answers that go to many subscribers are written as JSON once. graphql-ws writes a message as a whole and sends it at once: in it
 * a word that nobody can guess stands for the answer, whose text takes its place on the way out.
 */
export function createAnswerTexts() {
  const standIns = new WeakMap<object, ExecutionResult>()
  const word = randomUUID()
  const tail = `"payload":"${word}"}`
  /** The answer of the message that was written last. */
  let written = ''

  return {
    /** What graphql-ws is to write; undefined for answers with errors, which it writes itself. */
    standIn(result: ExecutionResult): ExecutionResult | undefined {
      if (result.errors) return undefined
      let standIn = standIns.get(result)
      if (standIn === undefined) {
        const text = JSON.stringify(result)
        const toJSON = (): string => {
          written = text
          return word
        }
        standIn = { toJSON } as ExecutionResult
        standIns.set(result, standIn)
      }
      return standIn
    },
    /** The message as it goes out; all others stay as they are. */
    inPlace: (message: string): string =>
      message.endsWith(tail) ? `${message.slice(0, -tail.length)}"payload":${written}}` : message,
  }
}
