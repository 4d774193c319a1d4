// Prints the files of vitest's JSON report that had a failure, a line each.
// node ci-failed-files.mjs REPORT
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [path] = process.argv.slice(2)
const report = reportAt(path)
// A run in which half of the files fail is no accident: it is not repeated.
const failed = report.testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative('.', name))
if (failed.length < report.testResults.length / 4 || failed.length === 1)
  for (const file of failed) process.stdout.write(`${file}\n`)

function reportAt(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { testResults: [] }
  }
}
