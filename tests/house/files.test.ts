import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { filesIn, ignoredAtTop, readText, topLevel } from './sources.ts'

const forbiddenNames = /(^|[-_.])(utils?|helpers?|common|shared|misc|core|base|manager|service|provider)([-_.]|$)/i
const maxLines = 300

/** What the design puts at the root, and files that tools want there. */
const atRoot = `
  server client prisma tests bench docs deploy scripts .ci
  package.json package-lock.json prisma.config.ts tsconfig.json tsconfig.build.json docker-compose.yml schema.graphql
  README.md README.zh-CN.md CHANGELOG.md LICENSE .env.example
  biome.json knip.json .oxlintrc.json eslint.config.mjs vitest.config.ts vite.config.ts
  .git .gitignore .gitattributes .dockerignore .editorconfig .npmrc .github
`
  .trim()
  .split(/\s+/)

const ours = ['server', 'tests', 'bench', 'scripts', 'client']
  .filter((folder) => topLevel().includes(folder))
  .flatMap(filesIn)
const sources = ours.filter((path) => /\.(ts|mjs|js|vue|c|h)$/.test(path))

test('the root holds what the design names and nothing else', () => {
  const allowed = new Set([...atRoot, ...ignoredAtTop()])
  expect(topLevel().filter((name) => !allowed.has(name))).toEqual([])
})

test('no file or folder is named after nothing in particular', () => {
  const wrong = ours.filter((path) => path.split('/').some((part) => forbiddenNames.test(part)))
  expect(wrong).toEqual([])
})

test('files are named in lower case with hyphens', () => {
  const plain = /^[a-z0-9]+([-.][a-z0-9]+)*$/
  expect(sources.filter((path) => !path.startsWith('client/') && !plain.test(basename(path)))).toEqual([])
})

test('a file over 300 lines says on its first line why', () => {
  const wrong = sources.flatMap((path) => {
    const lines = readText(path).trimEnd().split('\n')
    const says = /^(\/\/|\/\*\*?) Over 300 lines\b/.test(lines[0] ?? '')
    return lines.length > maxLines && !says ? [`${path}: ${lines.length} lines`] : []
  })
  expect(wrong).toEqual([])
})

test('the median file of server/ has about 70 lines', () => {
  const counts = sources
    .filter((path) => path.startsWith('server/'))
    .map((path) => readText(path).split('\n').length)
    .sort((a, b) => a - b)
  expect(counts[Math.floor(counts.length / 2)]).toBeLessThan(100)
})
