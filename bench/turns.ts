/** Turns: one contender at a time under load, the others frozen; what each turn cost and whether it was whole. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { askHead, keep, largeAsk, smallAsk } from './asks.ts'
import type { Contender } from './contenders.ts'

const run = promisify(execFile)

export const workloads = ['w1', 'w2a', 'w2b'] as const
export type Workload = (typeof workloads)[number]

/** What `load` prints. Times in microseconds. */
interface LoadReport {
  windowUs: number
  windowCpuUs: number
  windowFinished: number
  finished: number
  payloadBytes: number
  reconnects: number
  errors: number
  firstError: string
}

/** What the upstream counted: answers whose last byte left, and the tokens they reported. */
export interface Totals {
  finished: number
  inputTokens: number
  outputTokens: number
  cacheWrite5mTokens: number
  cacheWrite1hTokens: number
  cacheReadTokens: number
  requestBytes: number
  answerBytes: number
  bad: number
}

export interface Turn {
  /** From 1. */
  round: number
  contender: string
  workload: Workload
  cpuUsPerRequest: number
  requestsPerSecond: number
  /** Share of its core that the contender used; 1 = all of it. */
  busy: number
  finished: number
  totals: Totals
  /** What was wrong with it, in words; empty when all was well. */
  faults: readonly string[]
}

/** Warm-up before a window: at least this long, and on a crowded machine longer, until so many answers are in. */
export interface Warmth {
  ms: number
  answers: number
}

export interface Ring {
  /** The load generator, its core, and a folder for its files. */
  load: string
  core: number
  folder: string
  upstreamOrigin: string
  connections: number
}

/** Gives the verb that measures one contender under one workload. */
export function createTurns(ring: Ring) {
  const small = keep(ring.folder, 'small.json', smallAsk())
  const large = keep(ring.folder, 'large.json', largeAsk())

  /** `windowMs`: length of the measured window, in milliseconds. */
  return async function turn(
    contender: Contender,
    workload: Workload,
    warm: Warmth,
    windowMs: number,
  ): Promise<Omit<Turn, 'round'>> {
    const body = workload === 'w1' ? small : large
    const head = keep(ring.folder, 'head', askHead(contender.port, contender.path, contender.secret))
    await control(ring, `mode/${workload}`)
    await control(ring, 'reset')
    contender.process?.thaw()
    contender.watching?.pace(true)
    const sentBefore = contender.watching?.sent() ?? 0
    const startedMs = performance.now()
    const args = [
      contender.port,
      contender.process?.pid ?? 0,
      head.path,
      body.path,
      ring.connections,
      warm.ms,
      warm.answers,
      windowMs,
    ]
    const { stdout } = await run('taskset', ['-c', String(ring.core), ring.load, ...args.map(String)])
    const tookUs = (performance.now() - startedMs) * 1000
    const watched = (contender.watching?.sent() ?? 0) - sentBefore
    contender.watching?.pace(false)
    contender.process?.freeze()
    const report = JSON.parse(stdout) as LoadReport
    const response = await fetch(`${ring.upstreamOrigin}/bench/totals`)
    const totals = (await response.json()) as Totals
    return {
      contender: contender.name,
      workload,
      // The requests that are watched are evenly paced, of the same kind, and the relay's work as well.
      cpuUsPerRequest: report.windowCpuUs / (report.windowFinished + (watched * report.windowUs) / tookUs),
      requestsPerSecond: (report.windowFinished * 1e6) / report.windowUs,
      busy: report.windowCpuUs / report.windowUs,
      finished: report.finished,
      totals,
      faults: faults(report, totals, body.bytes),
    }
  }
}

/** The three accounts of one turn must agree: what the client got, what the upstream gave, what each request weighs. */
function faults(report: LoadReport, totals: Totals, bodyBytes: number): string[] {
  const found: string[] = []
  const equal = (what: string, ours: number, theirs: number) => {
    if (ours !== theirs) found.push(`${what}: ${ours} at the client, ${theirs} at the upstream`)
  }
  if (report.errors > 0) found.push(`${report.errors} wrong answers, first: ${report.firstError}`)
  if (report.windowFinished === 0) found.push('no answer finished in the window')
  if (totals.bad > 0) found.push(`${totals.bad} requests that the upstream could not read`)
  equal('finished answers', report.finished, totals.finished)
  equal('answer bytes', report.payloadBytes, totals.answerBytes)
  equal('request bytes', report.finished * bodyBytes, totals.requestBytes)
  return found
}

async function control(ring: Ring, what: string): Promise<void> {
  const response = await fetch(`${ring.upstreamOrigin}/bench/${what}`, { method: 'POST' })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`the upstream refused /bench/${what}: ${response.status}`)
}
