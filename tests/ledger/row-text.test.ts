import { expect, test } from 'vitest'
import { createRowText } from '../../server/ledger/row-text.ts'

const readBack = (text: ReturnType<typeof createRowText>): unknown => JSON.parse(text.rows())

test('rows come back as they went in, however many and however large they are', () => {
  const text = createRowText()
  const rows = Array.from({ length: 500 }, (_, at) => [at, 'x'.repeat((at * 37) % 900), `"${at}\\`, 'ü, 漢字, 😀'])
  for (const row of rows) text.add(JSON.stringify(row))
  const large = ['y'.repeat(200_000)]
  text.add(JSON.stringify(large))
  expect(readBack(text)).toEqual([...rows, large])
})

test('several rows may come at once, none adds nothing, and what is cleared starts anew', () => {
  const text = createRowText()
  text.add('[1],[2]')
  text.add('')
  text.add('[3]')
  expect(readBack(text)).toEqual([[1], [2], [3]])
  text.clear()
  expect(readBack(text)).toEqual([])
  text.add('[4]')
  expect(readBack(text)).toEqual([[4]])
})
