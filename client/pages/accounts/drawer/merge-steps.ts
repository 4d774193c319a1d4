import type { AccountStep } from '../../../graphql/account-operations.ts'

/** Merges two lists of timeline steps without duplicates, newest first. */
export function mergeSteps(steps: readonly AccountStep[], more: readonly AccountStep[]): AccountStep[] {
  const known = new Map([...steps, ...more].map((step) => [[step.at, step.from, step.to, step.model].join(), step]))
  // The sort is stable: steps of one moment keep the order in which they came.
  return [...known.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
}
