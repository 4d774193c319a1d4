/** Makes figures of turns: medians, tables, bounds. Pure. */
import type { Entry } from './ledger.ts'
import { type Turn, type Workload, workloads } from './turns.ts'

/** The CPU time of bare divided by the relay's must be at least this. */
const bounds: Record<Workload, number> = { w1: 0.4, w2a: 0.9, w2b: 0.95, w3: 0.9 }
/** Resident memory of the relay at rest, in MiB, must be at most this. */
const maxRestMib = 200

export interface Line {
  text: string
  ok: boolean
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const turnsOf = (turns: readonly Turn[], contender: string, workload: Workload, isSingle = false) =>
  turns.filter((turn) => turn.contender === contender && turn.workload === workload && turn.isSingle === isSingle)

const figures = (own: readonly Turn[]) => {
  const cpu = own.map((turn) => turn.cpuUs)
  return {
    cpu: median(cpu),
    low: Math.min(...cpu),
    high: Math.max(...cpu),
    rate: median(own.map((turn) => turn.perSecond)),
    busy: median(own.map((turn) => turn.busy)),
  }
}

/**
 * CPU time of `one` divided by that of `other`: the median of the quotients of each round, because the speed of a machine
 * changes between rounds more than within one. NaN when one of the two did not run.
 */
export function quotient(turns: readonly Turn[], one: string, other: string, workload: Workload): number {
  const theirs = new Map(turnsOf(turns, other, workload).map((turn) => [turn.round, turn.cpuUs]))
  const quotients = turnsOf(turns, one, workload).map((turn) => turn.cpuUs / (theirs.get(turn.round) ?? Number.NaN))
  return median(quotients.filter((value) => !Number.isNaN(value)))
}

/** One line per contender and workload, in the order in which they ran. */
export function table(turns: readonly Turn[]): string {
  const header = ['workload', 'contender', 'CPU µs a unit', 'lowest–highest', 'units/s', 'core busy', 'bare/this']
  const rows = workloads.flatMap((workload) =>
    contendersOf(turns, workload).map((name) => {
      const { cpu, low, high, rate, busy } = figures(turnsOf(turns, name, workload))
      const rateText = Math.round(rate).toString()
      if (name === 'direct') return [workload, name, '–', '–', rateText, '–', '–']
      const ratio = quotient(turns, 'bare', name, workload)
      const range = `${low.toFixed(1)}–${high.toFixed(1)}`
      const ratioText = Number.isNaN(ratio) ? '–' : ratio.toFixed(2)
      return [workload, name, cpu.toFixed(1), range, rateText, `${Math.round(busy * 100)} %`, ratioText]
    }),
  )
  return aligned([header, ...rows])
}

/** The time from a request to the first byte of its response, over one connection and over many. */
export function firstByteTable(turns: readonly Turn[]): string {
  const header = ['workload', 'contender', 'connections', 'first byte p50 ms', 'p99 ms']
  const rows = workloads.flatMap((workload) =>
    [true, false].flatMap((isSingle) =>
      contendersOf(turns, workload).flatMap((name) => {
        const own = turnsOf(turns, name, workload, isSingle)
        if (own.length === 0) return []
        const p50 = median(own.map((turn) => turn.firstByteMs.p50))
        const p99 = median(own.map((turn) => turn.firstByteMs.p99))
        return [[workload, name, String(own[0]!.connections), p50.toFixed(2), p99.toFixed(2)]]
      }),
    ),
  )
  return aligned([header, ...rows])
}

function contendersOf(turns: readonly Turn[], workload: Workload): string[] {
  return [...new Set(turns.filter((turn) => turn.workload === workload).map((turn) => turn.contender))]
}

/** Aligns the first two columns to the left and the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  return rows.map(line).join('\n')
}

export function boundLines(turns: readonly Turn[], measured: readonly Workload[]): Line[] {
  return measured.map((workload) => {
    const ratio = quotient(turns, 'bare', 'relay', workload)
    const ok = ratio >= bounds[workload]
    const name = workload.replace('w', 'W')
    return { ok, text: `${name} ratio ${ratio.toFixed(2)} (≥ ${bounds[workload].toFixed(2)}) ${ok ? 'PASS' : 'FAIL'}` }
  })
}

/** Resident memory before and after the load; the relay's at rest has a bound. */
export function memoryLines(contender: string, restMib: number, loadedMib: number): Line[] {
  const after = { text: `${contender}: ${loadedMib.toFixed(0)} MiB resident after load`, ok: true }
  const rest = `${contender}: ${restMib.toFixed(0)} MiB resident at rest`
  if (contender !== 'relay') return [{ text: rest, ok: true }, after]
  const ok = restMib <= maxRestMib
  return [{ text: `${rest} (≤ ${maxRestMib}) ${ok ? 'PASS' : 'FAIL'}`, ok }, after]
}

export function ledgerLines(entries: readonly Entry[]): Line[] {
  return entries.map(({ what, ledger, expected }) => {
    const ok = ledger === expected
    return { ok, text: `ledger: ${what}: ${ledger} ${ok ? '=' : '≠'} ${expected} ${ok ? 'PASS' : 'FAIL'}` }
  })
}
