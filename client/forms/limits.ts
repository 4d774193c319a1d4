import { parseUsd, typedUsd } from '../values/money/money.ts'

/** Cost limits as the server has them: of a key, a group or a person. */
export interface CostLimits {
  dailyLimit: string | null
  weeklyLimit: string | null
  monthlyLimit: string | null
  totalLimit: string | null
  rollingLimit: string | null
  rollingHours: number
}

export const limitNames = ['dailyLimit', 'weeklyLimit', 'monthlyLimit', 'totalLimit', 'rollingLimit'] as const

/** Dollars as they are typed; an empty text is no limit. */
export type LimitsForm = Record<(typeof limitNames)[number], string> & { rollingHours: number | undefined }

export function limitsForm(limits: CostLimits | undefined): LimitsForm {
  const typed = (nano: string | null | undefined): string => (nano ? typedUsd(nano) : '')
  return {
    dailyLimit: typed(limits?.dailyLimit),
    weeklyLimit: typed(limits?.weeklyLimit),
    monthlyLimit: typed(limits?.monthlyLimit),
    totalLimit: typed(limits?.totalLimit),
    rollingLimit: typed(limits?.rollingLimit),
    rollingHours: limits?.rollingHours ?? 5,
  }
}

/** The fields of the input, and what is no amount, by field. */
export function readLimits(form: LimitsForm, amountWord: string) {
  const problems: Record<string, string> = {}
  const nanoOf = (name: (typeof limitNames)[number]): string | null => {
    const text = form[name].trim()
    const nano = text === '' ? null : parseUsd(text)
    if (nano === undefined) problems[name] = amountWord
    return nano ?? null
  }
  const input = {
    dailyLimit: nanoOf('dailyLimit'),
    weeklyLimit: nanoOf('weeklyLimit'),
    monthlyLimit: nanoOf('monthlyLimit'),
    totalLimit: nanoOf('totalLimit'),
    rollingLimit: nanoOf('rollingLimit'),
    rollingHours: form.rollingHours ?? 5,
  }
  return { problems, input }
}
