import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alikeInsert } from '../../server/store/sqlite/sqlite-alike.ts'
import { runBatch } from '../../server/store/sqlite/sqlite-batch.ts'
import { createStatements } from '../../server/store/sqlite/sqlite-statements.ts'

const Database = createRequire(import.meta.url)('libsql')
const columns = ['id', 'text', 'number', 'other']

function written(rows: readonly (readonly (string | number)[])[]): unknown[][] {
  const connection = new Database(':memory:')
  connection.exec('CREATE TABLE t (id BIGINT PRIMARY KEY, text TEXT, number BIGINT, other TEXT) ')
  const statements = createStatements(connection)
  runBatch(connection, { lasting: statements, passing: createStatements(connection, 2) }, [
    { kind: 'insert', table: 't', columns, rows },
  ])
  const found = statements('SELECT id, text, number, other FROM t ORDER BY id').all([]) as unknown[][]
  connection.close()
  return found
}

test('what rows have in common stands in the statement, the rest is bound', () => {
  const rows = Array.from({ length: 400 }, (_, at) => [at, 'same', 7, at % 2 === 0 ? 'a' : 'b'])
  const insert = alikeInsert('t', columns, rows)
  expect(insert).toEqual({
    sql: "INSERT INTO `t` (`id`, `text`, `number`, `other`) VALUES (?, 'same', 7, ?)",
    bound: [0, 3],
  })
  expect(written(rows)).toEqual(rows)
})

test('few rows, and rows with little in common, are bound as they are', () => {
  expect(alikeInsert('t', columns, [[1, 'same', 7, 'a']])).toBeNull()
  expect(alikeInsert('t', columns, [])).toBeNull()
  expect(
    alikeInsert(
      't',
      columns,
      Array.from({ length: 400 }, (_, at) => [at, `${at}`, at, 'a']),
    ),
  ).toBeNull()
})

test.each(["it's; DROP TABLE t; --", "'", '漢字', 'line\nbreak', 'x'.repeat(101)])(
  'text that could end a literal, or is long, is bound: %j',
  (text) => {
    const rows = Array.from({ length: 400 }, (_, at) => [at, text, 7, ''])
    expect(alikeInsert('t', columns, rows)?.bound).toEqual([0, 1])
    expect(written(rows)).toEqual(rows)
  },
)

test('whatever rows have in common, they arrive as they are', () => {
  const text = fc.oneof(fc.constantFrom('', 'a', '"\\', "o'clock", '`?`', '-- /*', '1e3', 'NULL'), fc.string())
  const number = fc.oneof(fc.constantFrom(0, -1, 1_796_000_000_000, 2 ** 53 - 1), fc.integer())
  fc.assert(
    fc.property(fc.array(fc.tuple(text, number, text), { minLength: 1, maxLength: 3 }), (kinds) => {
      const rows = Array.from({ length: 310 }, (_, at) => [at, ...kinds[at % kinds.length]!])
      expect(written(rows)).toEqual(rows)
    }),
    { numRuns: 60 },
  )
})
