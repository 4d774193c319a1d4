import { builder } from '../builder.ts'

/** What runs and probes come to; the jobs have a sentence for each. */
const values = {
  PROBED: { value: 'probed', description: 'Accounts were probed: `asked` of them, and `back` are back.' },
  RESTS_ENDED: { value: 'rests_ended', description: 'Cooldowns were over: `rests` of them.' },
  PRUNED: {
    value: 'pruned',
    description: 'Old rows were deleted: `steps`, `points`, `runs`, `sessions` and `tries` count them.',
  },
  SUMS_AGREE: { value: 'sums_agree', description: 'The ledger and its rollups agree.' },
  SUMS_DIFFER: { value: 'sums_differ', description: 'The ledger and its rollups differ in `sums` sums.' },
  LOGINS_DUE: { value: 'logins_due', description: 'Logins were due for renewal: `logins` of them.' },
  RERATED: { value: 'rerated', description: 'Requests were priced anew: `changed` of `rows` that were looked at.' },
  TOOK_TOO_LONG: { value: 'took_too_long', description: 'The run took too long and was ended.' },
  STOPPING: { value: 'stopping', description: 'The relay is stopping.' },
  ANSWERED: { value: 'answered', description: 'The upstream answered.' },
  STILL_LIMITED: { value: 'still_limited', description: 'The upstream answered, and its limit goes on.' },
  ACCOUNT_GONE: { value: 'account_gone', description: 'The account is deleted.' },
  NO_MODEL: { value: 'no_model', description: 'No model of the account is known.' },
  NOT_ASKED_THERE: { value: 'not_asked_there', description: 'The account cannot be asked for that model.' },
} as const

type Code = (typeof values)[keyof typeof values]['value']
const codes: readonly string[] = Object.values(values).map(({ value }) => value)

export const RunCode = builder.enumType('RunCode', { description: 'What a run or a probe came to.', values })

export const runCodeDescription = 'The result, by a name that never changes; null where `message` alone tells.'

/** The code of a run or a probe; null where there is only a message. */
export const runCodeOf = (code: string): Code | null => (codes.includes(code) ? (code as Code) : null)
