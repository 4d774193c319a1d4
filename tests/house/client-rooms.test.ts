import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { filesIn, readText } from './sources.ts'

/** Imports of the client's files, `.vue` too: specifiers as written, dynamic ones as well. */
const files = filesIn('client')
  .filter((path) => /\.(ts|vue)$/.test(path))
  .map((path) => ({ path, targets: targetsOf(path) }))

function targetsOf(path: string): string[] {
  const specifiers = [...readText(path).matchAll(/(?:from |import\(|import )'(\.[^']*)'/g)].map(
    ([, found = '']) => found,
  )
  return specifiers.map((specifier) => posix.join(posix.dirname(path), specifier))
}

/** The page that a file of client/pages belongs to. */
const pageOf = (path: string): string | undefined => /^client\/pages\/([^/]+)\//.exec(path)?.[1]
const isIn = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path.startsWith(`client/${folder}/`))

/** What a folder may import beside itself: who fetches, what is shared by pages, and what they are made of. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  graphql: [],
  locales: ['graphql'],
  values: ['graphql'],
  data: ['graphql', 'shell'],
  shell: ['graphql', 'data', 'locales'],
  forms: ['graphql', 'data', 'shell', 'values'],
  lists: ['graphql', 'data', 'shell', 'values', 'forms'],
}

test('the client is found', () => {
  expect(files.length).toBeGreaterThan(100)
  expect(files.flatMap(({ targets }) => targets).length).toBeGreaterThan(400)
})

test('a page imports no other page, and nothing stands beside the folders of the pages', () => {
  const inPages = files.filter(({ path }) => path.startsWith('client/pages/'))
  expect(inPages.filter(({ path }) => pageOf(path) === undefined).map(({ path }) => path)).toEqual([])
  const wrong = inPages.flatMap(({ path, targets }) =>
    targets
      .filter((target) => pageOf(target) !== undefined && pageOf(target) !== pageOf(path))
      .map((target) => `${path} imports ${target}`),
  )
  expect(wrong).toEqual([])
})

test('what pages share imports no page, and only the folders below it', () => {
  const wrong = Object.entries(mayImport).flatMap(([folder, below]) =>
    files
      .filter(({ path }) => isIn(path, [folder]))
      .flatMap(({ path, targets }) =>
        targets
          // Single files of client/ are at the root of it: paths, session.
          .filter((target) => target.split('/').length > 2 && !isIn(target, [folder, ...below]))
          .map((target) => `${path} imports ${target}`),
      ),
  )
  expect(wrong).toEqual([])
})

test('only components and composables fetch: a pure function of a page asks no server', () => {
  const pure = files.filter(({ path }) => /\/(?!use-)[a-z][\w-]*\.ts$/.test(path) && isIn(path, ['values', 'pages']))
  expect(pure.length).toBeGreaterThan(20)
  const wrong = pure.flatMap(({ path, targets }) =>
    targets.filter((target) => isIn(target, ['data'])).map((target) => `${path} imports ${target}`),
  )
  expect(wrong).toEqual([])
})

test('no folder of the client has more than sixteen files beside each other, but for one message file a page', () => {
  const counts = new Map<string, number>()
  for (const { path } of files) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1)
  const full = [...counts].filter(([folder, count]) => count > 16 && !folder.startsWith('client/locales/'))
  expect(full).toEqual([])
})
