import type { Config } from '../config/config.ts'
import { warnOfExposed } from '../config/exposed-files.ts'
import { readCa, readText } from '../config/named-files.ts'
import type { Log } from '../log.ts'
import { readProvisionFile } from '../provisioning/provision-file.ts'
import type { Database } from '../store/database.ts'
import { buildServer } from './build-server.ts'
import { buildServices, type ConfigFiles } from './build-services.ts'
import { type AppContext, type AppOptions, createAppContext } from './context.ts'
import { openStores } from './open-stores.ts'

export interface App {
  /** http://host:port. */
  url: string
  database: Database
  /** Where the first administrator is made; null when there is one. Secret: for the console only, never a log. */
  setupPath: string | null
  /** How many accounts there are, for the first words to a newcomer. */
  accountCount: number
  /** Resolves when no request is running and the ledger holds all that were. */
  settled(): Promise<void>
  stop(): Promise<void>
}

const drainMs = 30_000

/** The composition root: builds each room once and starts listening. Throws with a message for people; what was opened is closed. */
export async function startApp(config: Config, log: Log, options: AppOptions = {}): Promise<App> {
  const context = createAppContext(config, log, options)
  try {
    return await compose(context)
  } catch (error) {
    await context.closeAll()
    throw error
  }
}

async function compose(context: AppContext): Promise<App> {
  const { options } = context
  const files = readFiles(context)
  const stores = await openStores(context)
  // After the folder is open: a folder that cannot be opened is refused by its setting's name.
  for (const warning of warnOfExposed(context.config)) context.log.warn(warning)
  const services = await buildServices(context, stores, files)
  const server = await buildServer(context, stores, services)
  if (options.jobs !== null) await services.jobs.start()

  async function stopAll(): Promise<void> {
    const jobsStopped = Promise.all([services.jobs.stop(), services.renewals.close()])
    await server.stop(options.drainMs ?? drainMs)
    await jobsStopped
    await context.closeAll()
  }
  let stopped: Promise<void> | null = null

  return {
    url: server.url,
    database: stores.database,
    setupPath: server.setupPath,
    accountCount: await stores.database.client.account.count({ where: { deletedMark: 0 } }),
    async settled() {
      await server.idle()
      await services.ledger.drained()
      await services.rejections.drained()
    },
    // A second call waits for the first: two stops at once would close one under the other.
    stop: () => {
      stopped ??= stopAll()
      return stopped
    },
  }
}

/** Before anything is opened, so that a mistake in a file changes nothing. */
function readFiles({ config, options }: AppContext): ConfigFiles {
  const { provisionFile, caFile } = config
  return {
    provision:
      options.provision ??
      (provisionFile === null ? null : readProvisionFile(readText(provisionFile, 'PROVISION_FILE'))),
    caPem: caFile === null ? undefined : readCa(caFile),
  }
}
