import { loadMasterSecret } from '../config/master-secret.ts'
import { naming } from '../config/named-files.ts'
import type { LiveBatch } from '../live/live-events.ts'
import { roomLog } from '../log.ts'
import type { Counters } from '../store/counters.ts'
import { type DataDir, openDataDir } from '../store/data-dir.ts'
import type { Database } from '../store/database.ts'
import type { Events } from '../store/events.ts'
import type { Locks } from '../store/locks/locks.ts'
import { createMemoryCounters } from '../store/memory/counters.ts'
import { createMemoryEvents } from '../store/memory/events.ts'
import { createMemoryLocks } from '../store/memory/locks.ts'
import { createMemoryStream } from '../store/memory/stream.ts'
import { openDatabase } from '../store/open-database.ts'
import { createRedisCounters } from '../store/redis/counters.ts'
import { createRedisEvents } from '../store/redis/events.ts'
import { createRedisLocks } from '../store/redis/locks.ts'
import { createSeal, type Seal } from '../store/seal.ts'
import type { Stream } from '../store/stream.ts'
import type { AppContext } from './context.ts'
import { checkDeployment } from './deployment.ts'

/** What keeps state, of this process alone or of all processes that share the database and Redis. */
export interface Stores extends SharedState {
  dataDir: DataDir
  seal: Seal
  database: Database
}

/** In memory, or on Redis. */
interface SharedState {
  /** Counters outlive the process and are seen by others. */
  isShared: boolean
  events: Events
  counters: Counters
  /** Locks whose caller waits `waitMs` for its turn. */
  createLocks(waitMs: number): Locks
  /** Opened when it is needed: on Redis it reads from then on. */
  openStream(): Promise<Stream<LiveBatch>>
}

/** First step of the start. The order matters: nobody touches a data folder, or a database, that another process has. */
export async function openStores(context: AppContext): Promise<Stores> {
  const { config, log, options, onClose } = context
  const dataDir = await openDataDir(config.dataDir, options.pid).catch(naming('DATA_DIR'))
  onClose(() => dataDir.release())
  const seal = createSeal(loadMasterSecret(config.dataDir, config.masterSecret))
  const database = await openDatabase({ url: config.databaseUrl, log: roomLog(log, 'store') }).catch(
    naming('DATABASE_URL'),
  )
  onClose(() => database.close())
  const deploymentId = await checkDeployment(database, seal)
  const mode = config.redisUrl === null ? 'alone' : 'shared'
  if (!(await database.lockForProcess(mode))) {
    const other = mode === 'alone' ? 'Another relay process' : 'A relay process without Redis'
    throw new Error(`${other} uses this database. Several processes need Redis between them: set REDIS_URL on all.`)
  }
  const state =
    config.redisUrl === null ? memoryState(context) : await redisState(context, config.redisUrl, `ccr:${deploymentId}`)
  onClose(() => state.events.close())
  onClose(() => state.counters.close())
  return { dataDir, seal, database, ...state }
}

function memoryState({ now, report }: AppContext): SharedState {
  return {
    isShared: false,
    events: createMemoryEvents(report('events')),
    counters: createMemoryCounters({ now }),
    createLocks: (waitMs) => createMemoryLocks({ waitMs }),
    openStream: async () => createMemoryStream<LiveBatch>({ now }),
  }
}

async function redisState(
  { log, now, report, onClose }: AppContext,
  url: string,
  prefix: string,
): Promise<SharedState> {
  // Loaded only where Redis is used: its client takes 12 MB.
  const { openRedis } = await import('../store/redis/connect.ts')
  const { openRedisStream } = await import('../store/redis/stream.ts')
  const connections = await openRedis(url, roomLog(log, 'store')).catch(naming('REDIS_URL'))
  onClose(() => connections.close())
  const { commands: redis } = connections
  return {
    isShared: true,
    events: createRedisEvents({ ...connections, prefix, report: report('events') }),
    counters: createRedisCounters({ redis, prefix, now }),
    createLocks: (waitMs) => createRedisLocks({ redis, prefix, waitMs }),
    openStream: () => openRedisStream<LiveBatch>({ ...connections, prefix, name: 'live', report: report('live') }),
  }
}
