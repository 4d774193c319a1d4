import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startProgram } from '../support/program.ts'

test.each([
  [['--help'], 0, /^Usage: [\s\S]*\n {2}start .*\n {2}demo .*\n {2}admin reset NAME /],
  [['admin', '--help'], 0, /^Usage: /],
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
  [['strat'], 2, /^There is no command "strat"\. Known: start, demo, admin\./],
])('the program called with %j ends with %i', async (args, code, words) => {
  const cwd = await mkdtemp(join(tmpdir(), 'relay-command-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  const program = startProgram(cwd, { PORT: 'not read' }, args)
  expect(await program.ended).toBe(code)
  expect(program.output()).toMatch(words)
})
