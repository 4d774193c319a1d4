import type { BuiltInRule, Rule, TriedFailure } from '../../graphql/rule-operations.ts'

/** One thing that a row asks for; `what` is a word of `rules.when`, `value` stands as it is. */
export interface Condition {
  what: 'status' | 'event' | 'type' | 'noType' | 'code' | 'text' | 'limits' | 'all'
  value: string
}

/** What a rule or a row of the built-in table asks for, in the order in which people read an error. */
export function conditionsOf(
  row: Pick<Rule, 'status' | 'errorType' | 'code' | 'message'> & Partial<Pick<BuiltInRule, 'limits'>>,
): Condition[] {
  const found: Condition[] = []
  if (row.status === 'event') found.push({ what: 'event', value: '' })
  else if (row.status) found.push({ what: 'status', value: row.status })
  if (row.errorType === '') found.push({ what: 'noType', value: '' })
  else if (row.errorType) found.push({ what: 'type', value: row.errorType })
  if (row.code) found.push({ what: 'code', value: row.code })
  if (row.message) found.push({ what: 'text', value: row.message })
  if (row.limits) found.push({ what: 'limits', value: row.limits })
  return found.length > 0 ? found : [{ what: 'all', value: '' }]
}

/** The key of a built-in row's name among `rules.rows`. */
export const rowKey = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')

/** Failures that the rule fits or may fit, and how many kinds it leaves as they are. */
export function sortedFailures(failures: readonly TriedFailure[]): { shown: TriedFailure[]; others: number } {
  const shown = failures.filter(({ match }) => match !== 'NO')
  return { shown, others: failures.length - shown.length }
}

/** Attempts that the rule certainly fits. */
export const fittingAttempts = (failures: readonly TriedFailure[]): number =>
  failures.filter(({ match }) => match === 'YES').reduce((sum, { attempts }) => sum + attempts, 0)
