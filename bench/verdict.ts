/** From turns to figures: medians, the table, the bounds. Pure. */
import type { Entry } from './ledger.ts'
import { type Turn, type Workload, workloads } from './turns.ts'

/** bare's CPU time divided by the relay's must be at least this, everything on. */
const bounds: Record<Workload, number> = { w1: 0.8, w2a: 1.5, w2b: 1.0 }

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

const turnsOf = (turns: readonly Turn[], contender: string, workload: Workload) =>
  turns.filter((turn) => turn.contender === contender && turn.workload === workload)

const figures = (own: readonly Turn[]) => {
  const cpu = own.map((turn) => turn.cpuUsPerRequest)
  return {
    cpu: median(cpu),
    low: Math.min(...cpu),
    high: Math.max(...cpu),
    rate: median(own.map((turn) => turn.requestsPerSecond)),
    busy: median(own.map((turn) => turn.busy)),
  }
}

/**
 * CPU time of `one` divided by that of `other`: the median of the rounds' quotients, because a machine may be half as fast in one
 * round as in the next, but hardly within one. NaN where one of the two did not run.
 */
export function quotient(turns: readonly Turn[], one: string, other: string, workload: Workload): number {
  const theirs = new Map(turnsOf(turns, other, workload).map((turn) => [turn.round, turn.cpuUsPerRequest]))
  const quotients = turnsOf(turns, one, workload).map(
    (turn) => turn.cpuUsPerRequest / (theirs.get(turn.round) ?? Number.NaN),
  )
  return median(quotients.filter((value) => !Number.isNaN(value)))
}

/** One line a contender and workload, in the order in which they ran. */
export function table(turns: readonly Turn[]): string {
  const header = ['workload', 'contender', 'CPU µs a request', 'lowest–highest', 'requests/s', 'core busy', 'bare/this']
  const rows = workloads.flatMap((workload) => {
    const names = new Set(turns.filter((turn) => turn.workload === workload).map((turn) => turn.contender))
    return [...names].map((name) => {
      const { cpu, low, high, rate, busy } = figures(turnsOf(turns, name, workload))
      const rateText = Math.round(rate).toString()
      if (name === 'direct') return [workload, name, '–', '–', rateText, '–', '–']
      const ratio = quotient(turns, 'bare', name, workload)
      const range = `${low.toFixed(1)}–${high.toFixed(1)}`
      const ratioText = Number.isNaN(ratio) ? '–' : ratio.toFixed(2)
      return [workload, name, cpu.toFixed(1), range, rateText, `${Math.round(busy * 100)} %`, ratioText]
    })
  })
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  return [header, ...rows].map(line).join('\n')
}

export function boundLines(turns: readonly Turn[], measured: readonly Workload[]): Line[] {
  return measured.map((workload) => {
    const ratio = quotient(turns, 'bare', 'relay', workload)
    const ok = ratio >= bounds[workload]
    return {
      ok,
      text: `${workload.toUpperCase().replace(/[AB]$/, (c) => c.toLowerCase())} ratio ${ratio.toFixed(2)} (≥ ${bounds[workload].toFixed(1)}) ${ok ? 'PASS' : 'FAIL'}`,
    }
  })
}

/** So much of what W1 gets done may be lost with 100 subscribers at 100 settled requests a second. */
const mostLoss = 0.1

export function watchedLines(turns: readonly Turn[], watching: { heard(): [number, number]; sent(): number }): Line[] {
  const loss = 1 - quotient(turns, 'relay', 'watched', 'w1')
  const [least, most] = watching.heard()
  const heardAll = least > 0 && least === watching.sent() && most === least
  return [
    {
      ok: loss < mostLoss,
      text: `W1 loss while watched ${(100 * loss).toFixed(1)} % (< 10 %) ${loss < mostLoss ? 'PASS' : 'FAIL'}`,
    },
    {
      ok: heardAll,
      text: `each of 100 subscribers heard of ${least} to ${most} of ${watching.sent()} requests ${heardAll ? 'PASS' : 'FAIL'}`,
    },
  ]
}

export function ledgerLines(entries: readonly Entry[]): Line[] {
  return entries.map(({ what, ledger, expected }) => {
    const ok = ledger === expected
    return { ok, text: `ledger: ${what}: ${ledger} ${ok ? '=' : '≠'} ${expected} ${ok ? 'PASS' : 'FAIL'}` }
  })
}
