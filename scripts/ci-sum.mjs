// Sums the reports of vitest's JSON reporter and says so in one line: `N passed, N failed`.
// node ci-sum.mjs FAILED-STEPS REPORTS SUITE…
// Failed are: tests, files that could not be loaded, suites without a report or with an error outside of tests, steps that are
// no suite, and tests that no suite ran (skipped for want of a service or a client).
// A file that failed and was run again (SUITE.again.json) counts by its second result and is named.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const [failedSteps, reports, ...suites] = process.argv.slice(2)
const steps = new Set(readFileSync(failedSteps, 'utf8').split('\n').filter(Boolean))
const problems = []
const notices = []
let passed = 0
let failed = 0
/** Test → whether some suite ran it. */
const ran = new Map()

for (const suite of suites) {
  const report = reportOf(suite)
  if (!report) {
    problems.push(`${suite}: did not run`)
    continue
  }
  const again = reportOf(`${suite}.again`)
  const second = new Map(again?.testResults.map((file) => [file.name, file]))
  let failedHere = 0
  for (const first of report.testResults) {
    const file = second.get(first.name) ?? first
    if (file !== first && file.status === 'passed')
      notices.push(`${suite}: ${file.name} failed at first and passed alone`)
    if (file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed')) {
      problems.push(`${suite}: ${file.name}: ${file.message.split('\n')[0] || 'failed outside of its tests'}`)
      failedHere++
    }
    for (const { status, fullName } of file.assertionResults) {
      const test = `${file.name}: ${fullName}`
      ran.set(test, ran.get(test) === true || status === 'passed' || status === 'failed')
      if (status === 'passed') passed++
      if (status === 'failed') {
        failed++
        failedHere++
      }
    }
  }
  if (report.testResults.length === 0) problems.push(`${suite}: has no tests`)
  else if (failedHere === 0 && (again ? !again.success : !report.success || steps.has(suite)))
    problems.push(`${suite}: an error outside of tests`)
  steps.delete(suite)
  steps.delete(`${suite} again`)
}
for (const step of steps) if (!suites.includes(step)) problems.push(`step ${step}`)
for (const [test, some] of ran) if (!some) problems.push(`no suite ran ${test}`)

process.stdout.write('\n')
for (const notice of notices) process.stdout.write(`UNSTEADY ${notice}\n`)
for (const problem of problems) process.stdout.write(`FAILED ${problem}\n`)
failed += problems.length
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function reportOf(suite) {
  try {
    return JSON.parse(readFileSync(join(reports, `${suite}.json`), 'utf8'))
  } catch {
    return undefined
  }
}
