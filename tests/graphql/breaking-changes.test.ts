import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/breaking-changes.mjs', import.meta.url))
const released = 'enum Mood { GOOD BAD }\ntype Query { mood: Mood, moodOf(name: String): Mood }\n'

/** A git repository whose first commit has `schema`, and a folder for what is checked out now. */
function repository(schema: string | null, tag?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'breaking-changes-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=a', '-c', 'user.email=a@example.test', '-c', 'commit.gpgsign=false', ...args],
      {
        cwd: folder,
      },
    )
  git('init', '--quiet')
  writeFileSync(join(folder, schema === null ? 'README.md' : 'schema.graphql'), schema ?? 'empty')
  git('add', '.')
  git('commit', '--quiet', '--message', 'first')
  if (tag) git('tag', tag)
  return (now: string) => {
    writeFileSync(join(folder, 'schema.graphql'), now)
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' })
    return { status, said: stdout + stderr }
  }
}

test('fails when a client of the last release would break, and names what breaks it', () => {
  const compare = repository(released, 'v1.0.0')
  const { status, said } = compare('enum Mood { GOOD BAD }\ntype Query { moodOf(name: String!): Mood }\n')
  expect(status).toBe(1)
  expect(said).toContain("breaking: Field 'mood' was removed from object type 'Query'")
  expect(said).toContain('schema.graphql since v1.0.0: 2 changes, 2 breaking, 0 dangerous.')
})

test('passes with a word where a client might be surprised, and where something is only added', () => {
  const compare = repository(released, 'v1.0.0')
  const added = compare(`${released}type More { id: ID! }\n`.replace('mood: Mood,', 'mood: Mood, more: More,'))
  expect(added).toMatchObject({ status: 0 })
  expect(added.said).toContain('0 breaking, 0 dangerous.')
  const dangerous = compare(released.replace('BAD', 'BAD FAIR'))
  expect(dangerous).toMatchObject({ status: 0 })
  expect(dangerous.said).toContain("dangerous: Enum value 'FAIR' was added to enum 'Mood'")
})

test('compares with the newest release behind the commit, not with other tags', () => {
  const compare = repository(released, 'nightly')
  const { status, said } = compare('type Query { other: String }\n')
  expect(status).toBe(0)
  expect(said).toContain('Skipped: schema.graphql is compared with that of the last release, and no tag v… was found')
})

test('says why nothing is compared without a tag, and with one that has no schema', () => {
  expect(repository(released)('type Query { other: String }\n').said).toContain('no tag v… was found')
  const without = repository(null, 'v0.1.0')('type Query { other: String }\n')
  expect(without).toEqual({ status: 0, said: 'Skipped: the last release, v0.1.0, has no schema.graphql.\n' })
})
