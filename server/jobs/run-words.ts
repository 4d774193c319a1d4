import type { Fault } from '../accounts/state/state.ts'

type Counts = Readonly<Record<string, number>>

/** What runs and probes come to, by a name that never changes: clients say it in a language of their own. */
const sentences = {
  probed: ({ asked, back }: Counts) => `${asked} asked, ${back} back`,
  rests_ended: ({ rests }: Counts) => `${rests} cooldowns ended`,
  pruned: ({ steps, points, runs, sessions, tries }: Counts) =>
    `${steps} steps of timelines, ${points} points of gauges, ${runs} runs, ${sessions} sessions, ${tries} sign-in tries deleted`,
  sums_agree: () => 'ledger and rollups agree',
  sums_differ: ({ sums }: Counts) => `${sums} sums of ledger and rollups differ`,
  logins_due: ({ logins }: Counts) => `${logins} logins were due`,
  rerated: ({ rows, changed }: Counts) => `${rows} requests looked at, ${changed} priced anew`,
  took_too_long: () => 'it took too long and was ended',
  stopping: () => 'The relay is stopping.',
  answered: () => 'It answered.',
  still_limited: () => 'It answered, and its limit goes on.',
  account_gone: () => 'The account is gone.',
  no_model: () => 'No model of this account is known.',
  not_asked_there: () => 'This account cannot be asked for that model.',
} as const

export type RunCode = keyof typeof sentences
export const runCodes = Object.keys(sentences) as RunCode[]

/** What a run, or a probe, came to. */
export interface RunWords {
  /** Of `sentences`, or of the causes of failures; '' where the message alone tells. */
  code: string
  counts: Counts
  /** Where it was tried, with the cause of a failure. */
  place: string
  /** One line for people, in English. */
  message: string
}

const longest = 191

/** The words of a run by their name. */
export function said(code: RunCode, counts: Counts = {}): RunWords {
  return { code, counts, place: '', message: sentences[code](counts) }
}

/** Words that have no name: what an upstream is called by, or an error of ours; with the cause of a failure that name. */
export function saidAs(message: string, fault: Fault | null = null): RunWords {
  return { code: fault?.cause ?? '', counts: {}, place: fault?.place ?? '', message: message.slice(0, longest) }
}
