import type { Rule, RuleInput } from '../../graphql/rule-operations.ts'

export const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const
export type Unit = keyof typeof unitSeconds

/** A rule as the form has it: what is not asked for is empty. */
export interface RuleForm {
  name: string
  platform: '' | NonNullable<Rule['platform']>
  status: string
  errorType: string
  code: string
  message: string
  effect: Rule['effect']
  scope: Rule['scope']
  amount: string
  unit: Unit
}

export function formOf(rule: Rule | undefined): RuleForm {
  const { durationSeconds = null } = rule ?? {}
  const unit = unitOf(durationSeconds)
  return {
    name: rule?.name ?? '',
    platform: rule?.platform ?? '',
    status: rule?.status ?? '',
    errorType: rule?.errorType ?? '',
    code: rule?.code ?? '',
    message: rule?.message ?? '',
    effect: rule?.effect ?? 'RATE_LIMIT',
    scope: rule?.scope ?? 'ACCOUNT',
    amount: durationSeconds === null ? '' : String(durationSeconds / unitSeconds[unit]),
    unit,
  }
}

/** The largest unit that leaves a whole number. */
function unitOf(seconds: number | null): Unit {
  if (seconds === null) return 'm'
  return (['d', 'h', 'm'] as const).find((unit) => seconds % unitSeconds[unit] === 0) ?? 's'
}

/** True where the effect has an end that a rule can name. */
export const hasEnd = (effect: Rule['effect']): boolean => effect === 'RATE_LIMIT' || effect === 'OUT_OF_CREDIT'

/** What is sent: fields that the effect has no use for are left out; `problems` by field. */
export function readForm(
  form: RuleForm,
  words: { required: string; duration: string },
): { problems: Record<string, string>; input: Omit<RuleInput, 'id' | 'hours' | 'sample'> & { name: string } } {
  const problems: Record<string, string> = {}
  const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim())
  if (form.name.trim() === '') problems['name'] = words.required
  const amount = hasEnd(form.effect) ? orNull(form.amount) : null
  if (amount !== null && !/^[1-9]\d{0,6}$/.test(amount)) problems['durationSeconds'] = words.duration
  return {
    problems,
    input: {
      name: form.name.trim(),
      platform: form.platform === '' ? null : form.platform,
      status: orNull(form.status),
      errorType: orNull(form.errorType),
      code: orNull(form.code),
      message: orNull(form.message),
      effect: form.effect,
      scope: form.effect === 'RATE_LIMIT' ? form.scope : 'ACCOUNT',
      durationSeconds: amount === null ? null : Number(amount) * unitSeconds[form.unit],
    },
  }
}
