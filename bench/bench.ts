/** `npm run bench`: CPU time per request of the relay, nginx and a bare pass-through, in one run. See README.md. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { boundLines, firstByteTable, type Line, ledgerLines, memoryLines, table } from './bounds.ts'
import { bare, type Contender, direct, nginx, relay, root, type Surroundings } from './contenders.ts'
import { reconcile } from './ledger.ts'
import { startPinned, twoCores } from './pinned.ts'
import { buildPrograms } from './programs.ts'
import { createTurns, type Turn, type TurnPlan, type Workload, workloads } from './turns.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    workloads: { type: 'string' },
    contenders: { type: 'string' },
    program: { type: 'string', default: 'dist/server/main.js' },
    quick: { type: 'boolean', default: false },
  },
})
const rounds = amount('rounds', options.quick ? 1 : 12)
const windowMs = 1000 * amount('seconds', 1)
const connections = amount('connections', 32)
const chosen = oneOf('workloads', workloads)
const asked = oneOf('contenders', ['direct', 'nginx', 'bare', 'relay'] as const)

function amount(name: 'rounds' | 'seconds' | 'connections', usual: number): number {
  const value = Number(options[name] ?? usual)
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`)
  return value
}

/** A comma-separated choice. A wrong word stops the run, because a run of nothing would pass. */
function oneOf<Name extends string>(option: 'workloads' | 'contenders', all: readonly Name[]): Name[] {
  const words = options[option]?.split(',') ?? all
  const wrong = words.find((word) => !all.some((name) => name === word))
  if (wrong !== undefined) throw new Error(`--${option}: ${wrong} is none of ${all.join(', ')}`)
  return all.filter((name) => words.includes(name))
}

async function startContenders(around: Surroundings, bareScript: string): Promise<Contender[]> {
  const started = [
    asked.includes('direct') && direct(around),
    asked.includes('nginx') && (await nginx(around)),
    asked.includes('bare') && (await bare(around, bareScript)),
    asked.includes('relay') && (await relay(around, resolve(root, options.program))),
  ].filter((contender) => typeof contender === 'object')
  // At rest: after ten idle seconds, before any load.
  await delay(10_000)
  for (const contender of started) {
    contender.restMib = contender.process?.residentMib()
    contender.process?.freeze()
  }
  return started
}

/** Rounds without any contender in between: they only show how fast the other core is. */
const directRounds = 2
/** W3's streams last four seconds: it has a third of the rounds, and a window in which each stream begins and ends once. */
const w3 = { connections: 500, rounds: Math.ceil(rounds / 3), windowMs: 4000 }
/** Measured over a single connection, for the time to the first byte. */
const single = { workloads: ['w1', 'w2b'] as readonly Workload[], rounds: Math.ceil(rounds / 4) }

function planFor(workload: Workload, isFirst: boolean): TurnPlan {
  const plan = { connections, isSingle: false, warmMs: 500, warmResponses: 0, windowMs }
  if (workload === 'w3') return { ...plan, connections: w3.connections, warmMs: 1000, windowMs: w3.windowMs }
  if (!isFirst) return plan
  // V8 compiles for some tens of thousands of small responses, and its threads count too.
  if (options.quick) return { ...plan, warmResponses: 3000 }
  return { ...plan, warmResponses: workload === 'w1' ? 40_000 : 10_000 }
}

/**
 * All contenders take their turn at one workload before the next one begins, and each round reverses their order. So a machine
 * that gets slower or faster affects all equally.
 */
async function takeTurns(contenders: readonly Contender[], turn: ReturnType<typeof createTurns>): Promise<Turn[]> {
  const turns: Turn[] = []
  async function take(round: number, workload: Workload, plan: TurnPlan): Promise<void> {
    for (const contender of round % 2 ? contenders : contenders.toReversed()) {
      if (contender.name === 'direct' && round > directRounds) continue
      const result = { round, ...(await turn(contender, workload, plan)) }
      turns.push(result)
      const cpu = contender.process ? `${result.cpuUs.toFixed(1)} µs` : '–'
      const over = `${plan.connections} connections`
      console.log(`round ${round}  ${workload.padEnd(3)}  ${over.padEnd(15)}  ${contender.name.padEnd(6)}  ${cpu}`)
      for (const fault of result.faults) console.log(`  FAULT ${fault}`)
    }
  }
  for (let round = 1; round <= rounds; round++) {
    for (const workload of chosen) {
      if (workload !== 'w3' || round <= w3.rounds) await take(round, workload, planFor(workload, round === 1))
      if (single.workloads.includes(workload) && round <= single.rounds)
        await take(round, workload, { ...planFor(workload, false), connections: 1, isSingle: true })
    }
  }
  return turns
}

/** Ends all contenders. The relay's database can be read only after the relay has ended. */
async function closing(contenders: readonly Contender[], turns: readonly Turn[]): Promise<Line[]> {
  const lines: Line[] = []
  for (const { name, process: running, restMib, dataDir } of contenders) {
    if (!running) continue
    running.thaw()
    lines.push(...memoryLines(name, restMib ?? Number.NaN, running.residentMib()))
    const code = await running.stop()
    if (!dataDir) continue
    lines.push({ text: `${name}: exit code ${code} after SIGTERM ${code === 0 ? 'PASS' : 'FAIL'}`, ok: code === 0 })
    const own = turns.filter((turn) => turn.contender === name)
    lines.push(...ledgerLines(reconcile(dataDir, own)))
  }
  return lines
}

/** True when every bound, every response and every sum held. */
async function bench(folder: string): Promise<boolean> {
  const programs = buildPrograms()
  const [core, loadCore] = twoCores()
  const upstream = await startPinned(programs.upstream, [], { core: loadCore, announces: /:(\d+)\n/ })
  const contenders = await startContenders(
    { core, upstreamPort: upstream.port, folder, env: process.env },
    programs.bare,
  )
  const upstreamOrigin = `http://127.0.0.1:${upstream.port}`
  const turns = await takeTurns(
    contenders,
    createTurns({ load: programs.load, core: loadCore, folder, upstreamOrigin }),
  )
  console.log(`\n${table(turns)}\n\n${firstByteTable(turns)}\n`)
  const lines = await closing(contenders, turns)
  await upstream.stop()
  const faulty = turns.filter((turn) => turn.faults.length > 0).length
  lines.push({ text: `turns with faults: ${faulty} of ${turns.length} ${faulty ? 'FAIL' : 'PASS'}`, ok: faulty === 0 })
  const relayRan = contenders.some(({ name }) => name === 'relay')
  if (relayRan && asked.includes('bare')) lines.push(...boundLines(turns, chosen))
  else if (asked.includes('relay')) lines.push({ text: 'relay: NOT MEASURED, no bound was checked FAIL', ok: false })
  for (const { text } of lines) console.log(text)
  return lines.every(({ ok }) => ok)
}

const folder = mkdtempSync(join(tmpdir(), 'relay-bench-'))
const clear = () => rmSync(folder, { recursive: true, force: true })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clear()
    // Everything started here dies with this process (setpriv --pdeathsig).
    process.exit(130)
  })
}
try {
  process.exitCode = (await bench(folder)) ? 0 : 1
} finally {
  clear()
}
