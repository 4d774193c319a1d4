import { expect, test } from 'vitest'
import { helpText, readCommand, UsageError } from '../../server/cli/commands.ts'

test.each([
  [[], { name: 'start' }],
  [['start'], { name: 'start' }],
  [['demo'], { name: 'demo' }],
  [['admin', 'reset', 'ada'], { name: 'admin', username: 'ada' }],
  [['--version'], { name: 'version' }],
  [['help'], { name: 'help' }],
  [['-h'], { name: 'help' }],
  [['--help'], { name: 'help' }],
  [['admin', '--help'], { name: 'help' }],
  [['demo', '--help'], { name: 'help' }],
])('the arguments %j are %j', (args, command) => {
  expect(readCommand(args)).toEqual(command)
})

test.each([
  [['strat'], 'There is no command "strat". Known: start, demo, admin. --help says more.'],
  [['start', 'now'], 'The command start takes no arguments. --help says more.'],
  [['admin'], 'Usage: npm run admin -- reset NAME'],
  [['admin', 'reset'], 'Usage: npm run admin -- reset NAME'],
  [['admin', 'reset', 'ada', 'bob'], 'Usage: npm run admin -- reset NAME'],
])('the arguments %j are refused with a hint', (args, message) => {
  expect(() => readCommand(args)).toThrow(new UsageError(message))
})

test('the help has a line for every command', () => {
  for (const command of ['start', 'demo', 'admin reset NAME']) expect(helpText).toContain(`\n  ${command} `)
})
