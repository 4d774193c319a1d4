import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { floors } from './floors.ts'
import { readText } from './sources.ts'

const path = 'docs/architecture.md'
const text = readText(path)
const root = new URL('../../', import.meta.url)

/** Rows of the table of rooms. */
const rooms = [...text.matchAll(/^\| (\d+) \| `([a-z-]+)` \|/gm)].map(([, floor, room]) => ({
  floor: Number(floor),
  room: room!,
}))

test('the table of rooms has the floors that the test of rooms holds up, from the top to the bottom', () => {
  const expected = floors.flatMap((names, index) => names.map((room) => ({ floor: floors.length - 1 - index, room })))
  expect(rooms.map(({ floor }) => floor)).toEqual(expected.map(({ floor }) => floor))
  const byName = (one: { room: string }, other: { room: string }) => (one.room < other.room ? -1 : 1)
  expect([...rooms].sort(byName)).toEqual(expected.sort(byName))
})

test('every folder of server/ is in the table, and every room of the table is there', () => {
  const entries = readdirSync(new URL('server/', root), { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const named = rooms.map(({ room }) => room).filter((room) => room !== 'leaves' && room !== 'main')
  expect([...named, 'generated'].sort()).toEqual(folders.sort())
  expect(existsSync(new URL('server/main.ts', root))).toBe(true)
})

test('every file and folder that it names is there', () => {
  const names = [...text.matchAll(/`([\w./-]*(?:\/|\.(?:ts|vue|prisma|md|json)))`/g)].map(([, name]) => name!)
  expect(names.length).toBeGreaterThan(60)
  const missing = names.filter((name) => !['', 'server/'].some((base) => existsSync(new URL(base + name, root))))
  expect(missing).toEqual([])
})

test('it has at most 200 lines', () => {
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(200)
})

test('both READMEs link to it', () => {
  for (const readme of ['README.md', 'README.zh-CN.md']) expect(readText(readme), readme).toContain(`](${path})`)
})
