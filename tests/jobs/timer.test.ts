import { expect, onTestFinished, test } from 'vitest'
import { saidAs } from '../../server/jobs/run-words.ts'
import type { JobRun } from '../../server/jobs/scheduler.ts'
import { createTimer, type Task } from '../../server/jobs/timer.ts'
import { deferred } from '../support/deferred.ts'

function stand(task: Partial<Task>, leads = () => true) {
  const runs: JobRun[] = []
  const errors: string[] = []
  const timer = createTimer({
    tasks: [{ name: 'task', everyMs: 3_600_000, run: async () => saidAs('done'), ...task }],
    now: Date.now,
    chance: () => 0,
    leads,
    onRun: (run) => void runs.push(run),
    onError: (error) => void errors.push(String(error)),
  })
  onTestFinished(() => timer.stop())
  return { timer, runs, errors }
}

test('a task runs by the clock only in the process that leads, and only when something is due', async () => {
  let leads = false
  let isDue = false
  let looks = 0
  const { timer, runs } = stand(
    {
      everyMs: 10,
      isDue() {
        looks++
        return isDue
      },
    },
    () => leads,
  )
  timer.start()
  const firstMs = timer.nextAtMs('task')!
  await expect.poll(() => timer.nextAtMs('task')).toBeGreaterThan(firstMs)
  expect(looks).toBe(0)
  leads = true
  await expect.poll(() => looks).toBeGreaterThan(1)
  expect(runs).toEqual([])
  isDue = true
  await expect.poll(() => runs.length).toBeGreaterThan(0)
  expect(runs[0]).toMatchObject({ job: 'task', outcome: 'done', words: { message: 'done' } })
})

test('it is known from the start on when a task runs first, a while before a whole interval has passed', () => {
  const { timer } = stand({ everyMs: 100_000_000 })
  expect(timer.nextAtMs('task')).toBeNull()
  const beforeMs = Date.now()
  timer.start()
  expect(timer.nextAtMs('task')).toBeGreaterThanOrEqual(beforeMs + 20_000_000)
  expect(timer.nextAtMs('task')).toBeLessThanOrEqual(Date.now() + 20_000_000)
})

test('a task that fails is a failed run, and the next run is its own', async () => {
  let fails = true
  const { timer, runs, errors } = stand({
    async run() {
      if (fails) throw new Error('the database is away')
      return saidAs('done')
    },
  })
  expect(timer.runNow('unknown')).toBe(false)
  expect(timer.runNow('task')).toBe(true)
  expect(timer.runNow('task')).toBe(false)
  await expect.poll(() => runs).toMatchObject([{ outcome: 'failed', words: { message: 'the database is away' } }])
  expect(errors).toEqual(['Error: the database is away'])
  fails = false
  await expect.poll(() => timer.runNow('task')).toBe(true)
  await expect.poll(() => runs[1]).toMatchObject({ outcome: 'done' })
})

test('a stop takes less than five seconds, whatever a task does', async () => {
  const never = deferred()
  const { timer, runs } = stand({ run: () => never.promise.then(() => saidAs('too late')) })
  timer.runNow('task')
  const startedMs = performance.now()
  await timer.stop()
  expect(performance.now() - startedMs).toBeLessThan(5000)
  never.resolve()
  await never.promise
  expect(runs).toEqual([])
  timer.runNow('task')
})
