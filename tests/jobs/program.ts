import process from 'node:process'
import { startApp } from '../../server/app/app.ts'
import { readConfig } from '../../server/config/config.ts'
import { createLog } from '../../server/log.ts'

/** The program as server/main.ts starts it, with the worker that its argument names in place of its own. */
const probe = new URL(`./workers/${process.argv[2]}.ts`, import.meta.url)
const { config } = readConfig(process.env)
const app = await startApp(config, createLog({ level: 'info', file: null }), {
  jobWorkers: { probe },
  jobs: { probeMs: 3_600_000, patienceMs: 3000 },
})
process.stdout.write(`listens on ${app.url}\n`)
process.on('SIGTERM', () => void app.stop().then(() => process.exit(0)))
