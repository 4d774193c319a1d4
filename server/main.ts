#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { type App, startApp } from './app/app.ts'
import { resetPassword } from './cli/admin.ts'
import { helpText, readCommand, UsageError } from './cli/commands.ts'
import { runDemo } from './cli/demo.ts'
import { type Config, ConfigError, readConfig } from './config/config.ts'
import { parseEnvFile } from './config/env-file.ts'
import { createLog, type Log } from './log.ts'

/** The process: arguments, environment, signals, exit codes. The only file that touches `process`. */
async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2))
  const say = (text: string) => process.stdout.write(text)
  if (command.name === 'help') return void say(helpText)
  if (command.name === 'version') return void say(`${versionOf()}\n`)
  const { config, warnings } = readConfig(
    process.env,
    existsSync('.env') ? parseEnvFile(readFileSync('.env', 'utf8')) : undefined,
  )
  for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`)
  const log = openLog(config)
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception')
    process.exit(1)
  })
  if (command.name === 'admin') return resetPassword(config, log, command.username, say)
  if (command.name === 'demo') {
    const demo = await runDemo(config, log, say, { pid: process.pid })
    stopOnSignal(() => demo.stop(), log)
    return
  }
  const app = await startApp(config, log, { pid: process.pid, version: versionOf() })
  say(welcome(app, config))
  stopOnSignal(() => app.stop(), log)
}

/** The program's version, from package.json. */
function versionOf(): string {
  const file = new URL('../../package.json', import.meta.url)
  const beside = new URL('../package.json', import.meta.url)
  const text = readFileSync(existsSync(file) ? file : beside, 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function openLog({ logLevel, logFormat, logFile }: Config): Log {
  const isTerminal = logFile === null && process.stdout.isTTY
  const format = logFormat === 'auto' ? (isTerminal ? 'text' : 'json') : logFormat
  try {
    return createLog({ level: logLevel, format, file: logFile })
  } catch (error) {
    throw new Error(`LOG_FILE: ${(error as Error).message}`, { cause: error })
  }
}

function stopOnSignal(stop: () => Promise<void>, log: Log): void {
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A second signal ends the process at once.
      if (stopping) process.exit(1)
      stopping = true
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'stopping failed')
          process.exit(1)
        },
      )
    })
  }
}

function welcome(app: App, config: Config): string {
  const everywhere =
    config.host === '0.0.0.0' || config.host === '::' ? ' and on every other address of this machine' : ''
  const lines = [`Claude Code Relay listens on ${app.url}${everywhere}  (data in ${config.dataDir})`]
  if (app.setupPath !== null) {
    lines.push(
      'Next step: nobody administers it yet. Open this link once, within a day, and make the first administrator:',
      `  ${config.publicUrl ?? app.url}${app.setupPath}`,
    )
  }
  if (app.accountCount === 0) {
    lines.push(
      'Next step: there is no upstream account yet. Add a group, an account and a key on the dashboard, or in a file:',
      '  PROVISION_FILE=provision.json npm start    (docs/provisioning.md)',
      'Or watch it work without any credential:  npm run demo',
    )
  } else {
    lines.push(
      'Next step: point Claude Code at it with a key of this relay:',
      `  export ANTHROPIC_BASE_URL=${config.publicUrl ?? app.url}/claude-code`,
      '  export ANTHROPIC_AUTH_TOKEN=sk-…',
      '  claude',
    )
  }
  return `${lines.join('\n')}\n`
}

main().catch((error: unknown) => {
  // People read the message; the stack is only for debugging.
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${message}\n`)
  if (
    process.env['LOG_LEVEL'] === 'debug' &&
    error instanceof Error &&
    !(error instanceof ConfigError || error instanceof UsageError)
  )
    process.stderr.write(`${error.stack}\n`)
  process.exit(error instanceof UsageError ? 2 : 1)
})
