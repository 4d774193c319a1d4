export type Command =
  | { name: 'start' | 'demo' | 'help' | 'version' }
  | { name: 'admin' /** The user whose password is reset. */; username: string }

/** The arguments are wrong. The message says what is possible. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export const helpText = `Usage: node dist/server/main.js [command]

Commands:
  start             Starts the relay. The default; the same as: npm start
  demo              Starts a relay with a made-up upstream and traffic; no credential needed. Also: npm run demo
  admin reset NAME  Gives a user a fresh password, shown once. Also: npm run admin -- reset NAME

Options:
  -h, --help        Prints this help.
  --version         Prints the version.

Settings are environment variables, also read from the file .env: see docs/configuration.md.
`

/** Reads the arguments after the program's name. Throws UsageError. */
export function readCommand(args: readonly string[]): Command {
  if (args[0] === 'help' || args.some((arg) => arg === '--help' || arg === '-h')) return { name: 'help' }
  const [name = 'start', ...rest] = args
  if (name === '--version') return { name: 'version' }
  if (name === 'admin') {
    const [verb, username, ...more] = rest
    if (verb !== 'reset' || username === undefined || more.length > 0)
      throw new UsageError('Usage: npm run admin -- reset NAME')
    return { name, username }
  }
  if (name !== 'start' && name !== 'demo')
    throw new UsageError(`There is no command ${JSON.stringify(name)}. Known: start, demo, admin. --help says more.`)
  if (rest.length > 0) throw new UsageError(`The command ${name} takes no arguments. --help says more.`)
  return { name }
}
