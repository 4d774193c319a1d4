import { expect, test } from 'vitest'
import { type Column, readListView, shownColumns, sortedRows } from '../../client/lists/column.ts'
import { momentsOf, readListState, writeListState } from '../../client/lists/filters.ts'

test('what the address says of a list comes out as it went in; nonsense is left out', () => {
  const query = { search: 'glm', group: 'G1', from: '2026-11-01', to: '2026-11-30', sort: '-name' }
  const state = readListState(query)
  expect(state).toEqual({
    search: 'glm',
    filters: { group: 'G1' },
    from: '2026-11-01',
    to: '2026-11-30',
    sort: '-name',
  })
  expect(writeListState(state)).toEqual(query)
  expect(readListState({ from: 'yesterday', group: '', search: ['a', 'b'] })).toEqual({
    search: '',
    filters: {},
    from: '',
    to: '',
    sort: '',
  })
})

test('two days are moments in the reader’s zone, the second one included', () => {
  const { from, to } = momentsOf({ from: '2026-11-01', to: '2026-11-01' })
  expect(Date.parse(to ?? '') - Date.parse(from ?? '')).toBe(86_400_000)
  expect(momentsOf({ from: '', to: '' })).toEqual({ from: null, to: null })
})

interface Row {
  name: string
  cost: bigint
}
const columns: Column<Row>[] = [
  { key: 'name', title: 'Name', sortBy: ({ name }) => name },
  { key: 'cost', title: 'Cost', isWide: true, sortBy: ({ cost }) => cost },
  { key: 'actions', title: '' },
]
const keysOf = (shown: Column<Row>[]): string => shown.map(({ key }) => key).join(' ')

test('wide columns are left out on small screens unless somebody asked for them; a card has them all', () => {
  const view = readListView(null)
  expect(keysOf(shownColumns(columns, view, 1280))).toBe('name actions')
  expect(keysOf(shownColumns(columns, view, 1440))).toBe('name cost actions')
  expect(keysOf(shownColumns(columns, view, 390))).toBe('name cost actions')
  expect(keysOf(shownColumns(columns, { ...view, columns: { cost: true } }, 1280))).toBe('name cost actions')
  expect(keysOf(shownColumns(columns, { ...view, columns: { name: false, cost: false } }, 1920))).toBe('name actions')
  expect(readListView('nonsense')).toEqual({ isDense: false, columns: {} })
})

test('rows are sorted by a column in both directions, money beyond 2^53 as well', () => {
  const rows = [
    { name: 'b', cost: 9_007_199_254_740_993n },
    { name: 'a', cost: 9_007_199_254_740_992n },
  ]
  const names = (sort: string): string =>
    sortedRows(rows, columns, sort)
      .map(({ name }) => name)
      .join('')
  expect([names('name'), names('-name'), names('cost'), names('-cost'), names('nothing')]).toEqual([
    'ab',
    'ba',
    'ab',
    'ba',
    'ba',
  ])
})
