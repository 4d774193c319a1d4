import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { messagesOf } from './messages.ts'

const client = fileURLToPath(new URL('../../client/', import.meta.url))
const router = readFileSync(`${client}router.ts`, 'utf8')
const pages = [...router.matchAll(/page\(\(\) => import\('(.+?)'\)(?:, (.+?))?\),/g)].map(
  ([, path = '', names = '']) => ({
    path,
    names: [...names.matchAll(/'([\w-]+)'/g)].map(([, name = '']) => name),
  }),
)

/** A page and all that it imports, but for the shell and the operations. */
function sourcesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file) || !existsSync(file)) return []
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  const imports = [...text.matchAll(/from '(\.{1,2}\/[^']+)'/g)].map(([, path = '']) => resolve(dirname(file), path))
  return [text, ...imports.flatMap((path) => sourcesOf(path, seen))]
}

/** Keys as they stand in the sources; of a key with `${…}` what stands before it. */
const keysIn = (text: string): string[] =>
  [...text.matchAll(/\bt\(\s*['`]([\w.-]+)(?=['`$])/g)].map(([, key = '']) => key.replace(/\.$/, ''))

const has = (messages: object, key: string): boolean =>
  key.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], messages) !==
  undefined

const valuesOf = (part: object | string): string[] =>
  typeof part === 'string' ? [part] : Object.values(part).flatMap((value: object | string) => valuesOf(value))

test('pages and their message files are found', () => {
  expect(pages.length).toBeGreaterThanOrEqual(10)
})

test.each(pages)('$path loads every text that it shows', ({ path, names }) => {
  const messages = messagesOf('en', ['shell', ...names])
  const keys = new Set(sourcesOf(resolve(client, path)).flatMap(keysIn))
  expect([...keys].filter((key) => !has(messages, key))).toEqual([])
})

test('messages are worded by the vocabulary', () => {
  const english = valuesOf(messagesOf('en')).join('\n')
  for (const word of ['unfunded', 'on trial', 'places are', 'at rest', ' rests', 'resting', 'Give to', 'verdict'])
    expect(english.includes(word), word).toBe(false)
  const chinese = valuesOf(messagesOf('zh-CN')).join('\n')
  for (const word of ['休息', '转给', '试用中', '应答', '回答']) expect(chinese.includes(word), word).toBe(false)
})
