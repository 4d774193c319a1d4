import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { servicesFiles } from '../support/services-files.ts'
import { filesIn, readText } from './sources.ts'

test('every file that runs again on MySQL and Redis is there, with its reason', () => {
  for (const [file, reason] of Object.entries(servicesFiles)) {
    expect(existsSync(file), file).toBe(true)
    expect(reason).not.toBe('')
  }
})

test('every test that reads the engine of its run, or the twins of the store, runs again on MySQL and Redis', () => {
  const own = /^tests\/(browser|clients|long)\//
  const missing = filesIn('tests').filter(
    (path) =>
      path.endsWith('.test.ts') &&
      !own.test(path) &&
      !Object.hasOwn(servicesFiles, path) &&
      /from '.*\/(engines|twins)\.ts'/.test(readText(path)),
  )
  expect(missing).toEqual([])
})
