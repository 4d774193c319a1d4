import { expect, test } from 'vitest'
import { filesIn, readText } from './sources.ts'

/**
 * Words of earlier drafts that readers had to decipher, each with the word of this field in its place (design: one word for one
 * thing). No name, comment or text uses them.
 */
const replaced: Readonly<Record<string, RegExp>> = {
  'arrivals, connections': /comings/i,
  free: /untaken/i,
  incomplete: /\bholed\b/i,
  subscribers: /audience/i,
  'events that were sent': /deliveries/i,
  classification: /verdict/i,
  'out of credit': /unfunded/i,
  'cooling down': /\bresting\b/i,
  reservations: /\btickets\b/i,
  'buffer pool': /\bslabs\b/i,
  'in the same way': /\balike\b/i,
  'maxX, minX': /\b(most|fewest)[A-Z]/,
}

/** These hold the words themselves. */
const lists = ['tests/house/words.test.ts', 'tests/client/messages.test.ts']

test('no name, comment or text uses a word that was replaced', () => {
  const paths = ['server', 'client', 'tests', 'bench', 'scripts'].flatMap(filesIn)
  const wrong = paths
    .filter((path) => /\.(ts|vue)$/.test(path) && !lists.includes(path))
    .flatMap((path) => {
      const text = readText(path)
      return Object.entries(replaced).flatMap(([word, old]) => {
        const found = old.exec(text)
        return found ? [`${path}: "${found[0]}" is now: ${word}`] : []
      })
    })
  expect(wrong).toEqual([])
})
