import type { StatePolicy } from '../accounts/state/state.ts'
import type { Config } from '../config/config.ts'
import type { HttpLimits } from '../http/server.ts'
import type { PasswordCost } from '../identity/passwords.ts'
import type { JobTimes } from '../jobs/jobs.ts'
import type { WriteBytes } from '../ledger/journal.ts'
import type { RingLimits } from '../live/ring.ts'
import { type Log, roomLog } from '../log.ts'
import type { Provision } from '../provisioning/provision-file.ts'
import type { ReadLimits } from '../relay/request/read-body.ts'
import type { QueueLimits } from '../relay/routing/queue.ts'
import type { RelayTimers } from '../relay/timers.ts'
import type { TransportOptions } from '../upstreams/transport/transport.ts'
import { createZoneDays, type ZoneDay } from '../zone-days.ts'

/** What tests and the demo set: deadlines, clock, chance. */
export interface AppOptions {
  timers?: Partial<RelayTimers>
  readLimits?: Partial<ReadLimits>
  /** In place of BODY_MEMORY_MB, which allows no less than one whole body. */
  bodyMemoryBytes?: number
  /** In place of RESPONSE_MEMORY_MB. */
  responseMemoryBytes?: number
  httpLimits?: HttpLimits
  statePolicy?: StatePolicy
  queue?: Partial<QueueLimits>
  settleIntervalMs?: number
  /** How bytes of the journal are written. */
  writeJournal?: WriteBytes
  /** null: no job runs by itself. */
  jobs?: Partial<JobTimes> | null
  /** How often changed gauges are published and written. */
  gauges?: { publishMs?: number; writeMs?: number }
  /** In place of our own worker. */
  probeWorker?: URL
  /** How soon it is written where keys were used from. */
  sightingsWriteMs?: number
  connectTimeoutMs?: number
  /** What a sign-in costs; by default as much as it should. */
  passwordCost?: PasswordCost
  /** How names of upstreams are resolved. */
  lookup?: TransportOptions['lookup']
  now?: () => number
  chance?: () => number
  /** Written beside the lock of the data folder, so that people can find the process that holds it. */
  pid?: number
  /** In place of the file that PROVISION_FILE names. */
  provision?: Provision
  /** How many past events live subscribers can resume from. */
  liveRing?: RingLimits
  /** The program's own, for the dashboard. */
  version?: string
  /** The folder of the built dashboard. */
  clientDirectory?: string
  /** How long a stop waits for running responses; after it they end with an error event. */
  drainMs?: number
}

type Close = () => Promise<void> | void

/** What every step of the start works with. */
export interface AppContext {
  config: Config
  log: Log
  options: AppOptions
  now: () => number
  chance: () => number
  dayAt: (atMs: number) => ZoneDay
  /** The function that writes failures of a room to the log. */
  report: (room: string) => (error: unknown, doing: string) => void
  /** Registers how a part that was opened is closed. */
  onClose(close: Close): void
  /** Closes all parts, in the reverse order of opening. A part that fails to close does not keep the rest open. */
  closeAll(): Promise<void>
}

export function createAppContext(config: Config, log: Log, options: AppOptions): AppContext {
  const opened: Close[] = []
  const report = (room: string) => (error: unknown, doing: string) =>
    roomLog(log, room).error({ err: error, doing }, `${doing} failed`)
  return {
    config,
    log,
    options,
    now: options.now ?? Date.now,
    chance: options.chance ?? Math.random,
    dayAt: createZoneDays(config.timeZone),
    report,
    onClose: (close) => opened.push(close),
    async closeAll() {
      for (let close = opened.pop(); close !== undefined; close = opened.pop()) {
        try {
          await close()
        } catch (error) {
          report('app')(error, 'closing')
        }
      }
    },
  }
}
