import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { readSources } from './sources.ts'

test('no file of server/ imports itself by way of others, not even for a type', () => {
  const imports = new Map(
    readSources('server').map(({ path, imports: specifiers }) => [
      path,
      specifiers
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => posix.join(posix.dirname(path), specifier)),
    ]),
  )
  expect(imports.size).toBeGreaterThan(50)
  expect(circlesOf(imports)).toEqual([])
})

test('a circle is found, and a file that two others import is none', () => {
  const graph = { a: ['b', 'd'], b: ['c', 'd'], c: ['a'], d: ['e'], e: ['d'] }
  expect(circlesOf(new Map(Object.entries(graph)))).toEqual(['a → b → c → a', 'd → e → d'])
  expect(circlesOf(new Map(Object.entries({ a: ['b', 'c'], b: ['c'], c: [] })))).toEqual([])
})

/** The circles that a walk in depth from each file meets. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  function walk(path: string, way: readonly string[]): void {
    const start = way.indexOf(path)
    if (start >= 0) circles.push([...way.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const target of imports.get(path) ?? []) walk(target, [...way, path])
    done.add(path)
  }
  for (const path of imports.keys()) walk(path, [])
  return circles
}
