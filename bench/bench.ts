/** `npm run bench`: how much CPU time the relay takes a request, beside nginx and a bare pass-through, in one run. See README.md. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { bare, type Contender, direct, nginx, relay, root, type Surroundings, watchedRelay } from './contenders.ts'
import { reconcile } from './ledger.ts'
import { startPinned, twoCores } from './pinned.ts'
import { buildPrograms } from './programs.ts'
import { createTurns, type Turn, type Workload, workloads } from './turns.ts'
import { boundLines, type Line, ledgerLines, table, watchedLines } from './verdict.ts'

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
const asked = oneOf('contenders', ['direct', 'nginx', 'bare', 'relay', 'watched'] as const)

function amount(name: 'rounds' | 'seconds' | 'connections', usual: number): number {
  const value = Number(options[name] ?? usual)
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`)
  return value
}

/** A comma-separated choice; a wrong word stops the run, because a run of nothing would pass. */
function oneOf<Name extends string>(option: 'workloads' | 'contenders', all: readonly Name[]): Name[] {
  const words = options[option]?.split(',') ?? all
  const wrong = words.find((word) => !all.some((name) => name === word))
  if (wrong !== undefined) throw new Error(`--${option}: ${wrong} is none of ${all.join(', ')}`)
  return all.filter((name) => words.includes(name))
}

async function startContenders(around: Surroundings, bareScript: string, sidePort: number): Promise<Contender[]> {
  const started = [
    asked.includes('direct') && direct(around),
    asked.includes('nginx') && (await nginx(around)),
    asked.includes('bare') && (await bare(around, bareScript)),
    asked.includes('relay') && (await relay(around, resolve(root, options.program))),
    asked.includes('watched') && (await watchedRelay(around, resolve(root, options.program), sidePort)),
  ].filter((contender) => typeof contender === 'object')
  for (const contender of started) contender.process?.freeze()
  return started
}

/** Answers before the first window: Node's compiler is at work for some tens of thousands of small ones, all its threads counted. */
function firstAnswers(workload: Workload): number {
  if (options.quick) return 3000
  return workload === 'w1' ? 40_000 : 10_000
}

/** Rounds in which a request without anybody in between is tried: it only says how fast the other core is. */
const directRounds = 2

/**
 * Everybody has a turn at one workload before anybody has the next, and who was first in one round is last in the next: drift of
 * the machine falls on all alike.
 */
async function takeTurns(contenders: readonly Contender[], turn: ReturnType<typeof createTurns>): Promise<Turn[]> {
  const turns: Turn[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const workload of chosen) {
      for (const contender of round % 2 ? contenders : contenders.toReversed()) {
        if (contender.name === 'direct' && round > directRounds) continue
        // What watching costs is asked of W1 only.
        if (contender.watching && workload !== 'w1') continue
        const warm = round > 1 ? { ms: 500, answers: 0 } : { ms: 500, answers: firstAnswers(workload) }
        const result = { round, ...(await turn(contender, workload, warm, windowMs)) }
        turns.push(result)
        const cpu = contender.process ? `${result.cpuUsPerRequest.toFixed(1)} µs` : '–'
        console.log(`round ${round}  ${workload.padEnd(3)}  ${contender.name.padEnd(6)}  ${cpu}`)
        for (const fault of result.faults) console.log(`  FAULT ${fault}`)
      }
    }
  }
  return turns
}

/** Ends everybody; the relay's database can be read only after it has ended. */
async function closing(contenders: readonly Contender[], turns: readonly Turn[]): Promise<Line[]> {
  const lines: Line[] = []
  for (const { name, process: running, dataDir, watching } of contenders) {
    if (!running) continue
    running.thaw()
    await watching?.told()
    const memory = `${name}: ${running.residentMib().toFixed(0)} MiB resident after the run`
    const code = await running.stop()
    lines.push({ text: memory, ok: true })
    if (!dataDir) continue
    lines.push({ text: `${name}: exit code ${code} after SIGTERM ${code === 0 ? 'PASS' : 'FAIL'}`, ok: code === 0 })
    const own = turns.filter((turn) => turn.contender === name)
    lines.push(...ledgerLines(reconcile(dataDir, own)))
  }
  return lines
}

/** True when every bound, every answer and every sum held. */
async function bench(folder: string): Promise<boolean> {
  const programs = buildPrograms()
  const [core, loadCore] = twoCores()
  const upstream = await startPinned(programs.upstream, [], { core: loadCore, announces: /:(\d+)\n/ })
  const around = { core, upstreamPort: upstream.port, folder, env: process.env }
  const side = await startPinned(programs.upstream, [], { core: loadCore, announces: /:(\d+)\n/ })
  await fetch(`http://127.0.0.1:${side.port}/bench/mode/w1`, { method: 'POST' })
  const contenders = await startContenders(around, programs.bare, side.port)
  const upstreamOrigin = `http://127.0.0.1:${upstream.port}`
  const turns = await takeTurns(
    contenders,
    createTurns({ load: programs.load, core: loadCore, folder, upstreamOrigin, connections }),
  )
  console.log(`\n${table(turns)}\n`)
  const lines = await closing(contenders, turns)
  await upstream.stop()
  await side.stop()
  const faulty = turns.filter((turn) => turn.faults.length > 0).length
  lines.push({ text: `turns with faults: ${faulty} of ${turns.length} ${faulty ? 'FAIL' : 'PASS'}`, ok: faulty === 0 })
  const relayRan = contenders.some(({ name }) => name === 'relay')
  const watched = contenders.find(({ watching }) => watching)
  if (relayRan && watched?.watching) lines.push(...watchedLines(turns, watched.watching))
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
