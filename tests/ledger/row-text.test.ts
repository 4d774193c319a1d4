import { expect, test } from 'vitest'
import { createRowText } from '../../server/ledger/row-text.ts'
import { insertRows } from '../../server/store/writes.ts'

const readBack = (text: ReturnType<typeof createRowText>) => [...insertRows(text.rows())]

test('rows come back as they went in, however many pieces and however large they are', () => {
  const text = createRowText()
  const rows = Array.from({ length: 500 }, (_, at) => [at, 'x'.repeat((at * 37) % 900), `"${at}\\`])
  for (const row of rows) text.add(JSON.stringify(row))
  const large = ['y'.repeat(200_000)]
  text.add(JSON.stringify(large))

  const pieces = readBack(text)
  expect(pieces.length).toBeGreaterThan(5)
  expect(pieces.flat()).toEqual([...rows, large])
})

test('several rows may come at once, none adds nothing, and what is cleared starts anew', () => {
  const text = createRowText()
  text.add('[1],[2]')
  text.add('')
  text.add('[3]')
  expect(readBack(text)).toEqual([[[1], [2], [3]]])
  text.clear()
  expect(readBack(text)).toEqual([])
  text.add('[4]')
  expect(readBack(text)).toEqual([[[4]]])
})

test('text beyond ASCII is told apart, and whole', () => {
  const text = createRowText()
  text.add(JSON.stringify(['plain']))
  expect(text.rows().isAscii).toBe(true)
  text.clear()
  text.add(JSON.stringify(['ü, 漢字, 😀']))
  expect(text.rows().isAscii).toBe(false)
  expect(readBack(text)).toEqual([[['ü, 漢字, 😀']]])
})

test('its memory is shared: no copy goes to the thread that writes', () => {
  const text = createRowText()
  text.add('[1]')
  expect(text.rows().json.buffer).toBeInstanceOf(SharedArrayBuffer)
})
