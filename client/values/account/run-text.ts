import { type FailureCause, failureText } from './failure-text.ts'

/** What a run of a job, or a probe, came to, as the server says it. */
interface Run {
  /** In English. */
  message: string | null
  code: string | null
  counts?: readonly { name: string; count: number }[]
  failure?: FailureCause | null
}

interface Words {
  t: (key: string, named?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

/** The same in the reader's language; the server's own words for what this page does not know yet. */
export function runText({ t, te }: Words, { message, code, counts = [], failure }: Run): string {
  if (failure) return failureText({ t, te }, failure) ?? message ?? ''
  const key = `runs.${code?.toLowerCase()}`
  if (code === null || !te(key)) return message ?? ''
  return t(key, Object.fromEntries(counts.map(({ name, count }) => [name, count])))
}
