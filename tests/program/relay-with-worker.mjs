import process from 'node:process'
import { startApp } from '../../dist/server/app/app.js'
import { readConfig } from '../../dist/server/config/config.js'
import { createLog } from '../../dist/server/log.js'

/** The built program as main.js starts it, with the worker that its argument names in place of its own. */
const probe = new URL(`../jobs/workers/${process.argv[2]}.js`, import.meta.url)
const { config } = readConfig(process.env)
const app = await startApp(config, createLog({ level: 'info', file: null }), {
  probeWorker: probe,
  jobs: { probeMs: 3_600_000, patienceMs: 3000 },
})
process.stdout.write(`listens on ${app.url}\n`)
process.on('SIGTERM', () => void app.stop().then(() => process.exit(0)))
