/** Turns: one contender at a time under load while the others are stopped; the cost and the faults of each turn. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Contender } from './contenders.ts'
import { keep, largeRequest, requestHead, smallRequest } from './requests.ts'

const run = promisify(execFile)

export const workloads = ['w1', 'w2a', 'w2b', 'w3'] as const
export type Workload = (typeof workloads)[number]

/** The output of `load`. Times in microseconds. */
interface LoadReport {
  windowUs: number
  windowCpuUs: number
  windowFinished: number
  windowEvents: number
  firstByteP50Us: number
  firstByteP99Us: number
  finished: number
  payloadBytes: number
  reconnects: number
  errors: number
  firstError: string
}

/** Counted by the upstream: responses that were sent completely, and the tokens they reported. */
export interface Totals {
  finished: number
  inputTokens: number
  outputTokens: number
  cacheWrite5mTokens: number
  cacheWrite1hTokens: number
  cacheReadTokens: number
  requestBytes: number
  responseBytes: number
  bad: number
}

export interface Turn {
  /** From 1. */
  round: number
  contender: string
  workload: Workload
  /** True when there was one connection only, to measure the time to the first byte. */
  isSingle: boolean
  connections: number
  /** CPU time per request; for W3 per event. */
  cpuUs: number
  /** Requests per second; for W3 events. */
  perSecond: number
  /** The share of its core that the contender used, at most 1. */
  busy: number
  /** From a request to the first byte of its response. */
  firstByteMs: { p50: number; p99: number }
  finished: number
  totals: Totals
  /** Everything that went wrong; empty for a good turn. */
  faults: readonly string[]
}

export interface TurnPlan {
  connections: number
  isSingle: boolean
  /** Warm-up before the window: at least this long, and on a crowded machine longer, until so many responses are in. */
  warmMs: number
  warmResponses: number
  windowMs: number
}

export interface Ring {
  /** The load generator, its core, and a folder for its files. */
  load: string
  core: number
  folder: string
  upstreamOrigin: string
}

/** Returns the function that measures one contender under one workload. */
export function createTurns(ring: Ring) {
  const small = keep(ring.folder, 'small.json', smallRequest(false))
  const smallStream = keep(ring.folder, 'small-stream.json', smallRequest(true))
  const large = keep(ring.folder, 'large.json', largeRequest())
  const bodies = { w1: small, w2a: large, w2b: large, w3: smallStream }

  return async function turn(
    contender: Contender,
    workload: Workload,
    { connections, isSingle, warmMs, warmResponses, windowMs }: TurnPlan,
  ): Promise<Omit<Turn, 'round'>> {
    const body = bodies[workload]
    const head = keep(ring.folder, 'head', requestHead(contender.port, contender.path, contender.secret))
    await control(ring, `mode/${workload}`)
    await control(ring, 'reset')
    contender.process?.thaw()
    const pid = contender.process?.pid ?? 0
    const args = [contender.port, pid, head.path, body.path, connections, warmMs, warmResponses, windowMs]
    const { stdout } = await run('taskset', ['-c', String(ring.core), ring.load, ...args.map(String)])
    contender.process?.freeze()
    const report = JSON.parse(stdout) as LoadReport
    const response = await fetch(`${ring.upstreamOrigin}/bench/totals`)
    const totals = (await response.json()) as Totals
    const units = workload === 'w3' ? report.windowEvents : report.windowFinished
    return {
      contender: contender.name,
      workload,
      isSingle,
      connections,
      cpuUs: report.windowCpuUs / units,
      perSecond: (units * 1e6) / report.windowUs,
      busy: report.windowCpuUs / report.windowUs,
      firstByteMs: { p50: report.firstByteP50Us / 1000, p99: report.firstByteP99Us / 1000 },
      finished: report.finished,
      totals,
      faults: faults(report, totals, body.bytes),
    }
  }
}

/** Checks that the counts of a turn agree: responses at the client, responses at the upstream, bytes of the requests. */
function faults(report: LoadReport, totals: Totals, bodyBytes: number): string[] {
  const found: string[] = []
  const equal = (what: string, ours: number, theirs: number) => {
    if (ours !== theirs) found.push(`${what}: ${ours} at the client, ${theirs} at the upstream`)
  }
  if (report.errors > 0) found.push(`${report.errors} wrong responses, first: ${report.firstError}`)
  if (report.windowFinished === 0) found.push('no response finished in the window')
  if (totals.bad > 0) found.push(`${totals.bad} requests that the upstream could not read`)
  equal('finished responses', report.finished, totals.finished)
  equal('response bytes', report.payloadBytes, totals.responseBytes)
  equal('request bytes', report.finished * bodyBytes, totals.requestBytes)
  return found
}

async function control(ring: Ring, what: string): Promise<void> {
  const response = await fetch(`${ring.upstreamOrigin}/bench/${what}`, { method: 'POST' })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`the upstream refused /bench/${what}: ${response.status}`)
}
