import { expect, onTestFinished, test } from 'vitest'
import { type RunWords, saidAs } from '../../server/jobs/run-words.ts'
import { createScheduler, type Job, type JobRun } from '../../server/jobs/scheduler.ts'
import { deferred } from '../support/deferred.ts'

const speaks = new URL('./workers/speaks.js', import.meta.url)
const hangs = new URL('./workers/hangs.js', import.meta.url)
const dies = new URL('./workers/dies.js', import.meta.url)

/** A scheduler of these jobs; its runs can be awaited one by one. */
function stand(jobs: Partial<Job>[], options: { leads?: () => boolean; patienceMs?: number } = {}) {
  const runs: JobRun[] = []
  const errors: string[] = []
  let heard = deferred()
  const free: string[] = []
  const scheduler = createScheduler({
    jobs: jobs.map((job, index) => ({
      name: `job${index}`,
      everyMs: 3_600_000,
      worker: speaks,
      begin: () => 'ring',
      decide: async () => saidAs('done'),
      ...job,
    })),
    now: Date.now,
    chance: () => 0,
    leads: options.leads ?? (() => true),
    patienceMs: options.patienceMs ?? 30_000,
    onRun(run) {
      runs.push(run)
      heard.resolve()
      heard = deferred()
    },
    onFree: (job) => void free.push(job),
    onError: (error) => void errors.push(String(error)),
  })
  onTestFinished(() => scheduler.stop())
  return { scheduler, runs, errors, free, next: () => heard.promise }
}

test('a worker rings, the main thread does the work, and the run is told', async () => {
  const { scheduler, runs, next, free } = stand([{ decide: async (said) => saidAs(`heard ${String(said)}`) }])
  const told = next()
  expect(await scheduler.runNow('job0')).toBe(true)
  await told
  expect(runs).toMatchObject([{ job: 'job0', outcome: 'done', words: { message: 'heard due' } }])
  await expect.poll(() => free).toEqual(['job0'])
  expect(await scheduler.runNow('unknown')).toBe(false)
})

test('it is known from the start on when the clock rings first, a while before a whole interval has passed', async () => {
  const { scheduler } = stand([{ everyMs: 100_000_000 }])
  expect(scheduler.nextAtMs('job0')).toBeNull()
  const beforeMs = Date.now()
  await scheduler.start()
  expect(scheduler.nextAtMs('job0')).toBeGreaterThanOrEqual(beforeMs + 20_000_000)
  expect(scheduler.nextAtMs('job0')).toBeLessThanOrEqual(Date.now() + 20_000_000)
})

test('the clock starts jobs only in the process that leads, and only when something is due', async () => {
  let leads = false
  let due = false
  let begun = 0
  const { scheduler, runs } = stand(
    [
      {
        everyMs: 20,
        begin() {
          begun++
          return due ? 'ring' : null
        },
      },
    ],
    { leads: () => leads },
  )
  await scheduler.start()
  await expect.poll(() => scheduler.nextAtMs('job0')).not.toBeNull()
  expect(begun).toBe(0)
  leads = true
  await expect.poll(() => begun).toBeGreaterThan(1)
  expect(runs).toEqual([])
  due = true
  await expect.poll(() => runs.length, { timeout: 10_000 }).toBeGreaterThan(0)
})

test('work that fails is a failed run, and the next run is its own', async () => {
  let fails = true
  const { scheduler, runs, next, free } = stand([
    {
      async decide() {
        if (fails) throw new Error('the database is away')
        return saidAs('done')
      },
    },
  ])
  let told = next()
  await scheduler.runNow('job0')
  await told
  expect(runs[0]).toMatchObject({ outcome: 'failed', words: { code: '', message: 'the database is away' } })
  fails = false
  await expect.poll(() => free.length).toBe(1)
  told = next()
  await scheduler.runNow('job0')
  await told
  expect(runs[1]).toMatchObject({ outcome: 'done' })
})

test('a worker that dies is a failed run, and nothing else falls', async () => {
  const { scheduler, runs, next } = stand([{ worker: dies }, {}])
  const first = next()
  await scheduler.runNow('job0')
  await first
  expect(runs[0]).toMatchObject({ job: 'job0', outcome: 'failed' })
  const second = next()
  await scheduler.runNow('job1')
  await second
  expect(runs[1]).toMatchObject({ job: 'job1', outcome: 'done' })
})

test('a worker that hangs is ended when its time is over', async () => {
  const { scheduler, runs, next, free } = stand([{ worker: hangs }], { patienceMs: 300 })
  const told = next()
  await scheduler.runNow('job0')
  expect(await scheduler.runNow('job0')).toBe(false)
  await told
  expect(runs[0]).toMatchObject({ outcome: 'failed', words: { code: 'took_too_long' } })
  await expect.poll(() => free).toEqual(['job0'])
})

test('a stop takes less than five seconds, whatever workers and work do', async () => {
  const never = deferred<RunWords>()
  const deciding = deferred()
  const { scheduler } = stand([
    { worker: hangs },
    {
      decide: () => {
        deciding.resolve()
        return never.promise
      },
    },
    {},
  ])
  await scheduler.start()
  await scheduler.runNow('job0')
  await scheduler.runNow('job1')
  await deciding.promise
  const startedMs = performance.now()
  await scheduler.stop()
  expect(performance.now() - startedMs).toBeLessThan(5000)
  never.resolve(saidAs('too late'))
})
