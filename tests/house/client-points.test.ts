import { expect, test } from 'vitest'
import { filesIn, readText } from './sources.ts'

test('each of the eighteen things that real clients need is named by its number in the name of a test that needs no such client', () => {
  const texts = filesIn('tests')
    .filter((path) => /^tests\/(?!house\/|clients\/).*\.test\.ts$/.test(path))
    .map(readText)
    .join('\n')
  const points = Array.from({ length: 18 }, (_, index) => index + 1)
  // `client point 6: …`, also behind another number, and `client points 2 and 3: …`.
  const missing = points.filter((point) => !new RegExp(`client points? (\\d+ and )?${point}( and \\d+)?:`).test(texts))
  expect(missing).toEqual([])
})
