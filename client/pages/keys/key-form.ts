import type { ApiKey } from '../../graphql/key-operations.ts'
import { parseUsd, typedUsd } from '../../values/money.ts'
import { modelsText, parseModels } from '../models-text.ts'

/** `keep` only for a key that exists; numbers are days from now. */
export type Expiry = 'keep' | 'never' | 'date' | 1 | 3 | 7 | 30

export interface KeyForm {
  name: string
  groupId: string
  isOwnSecret: boolean
  secret: string
  models: string
  dailyLimit: string
  totalLimit: string
  expiry: Expiry
  expiryDate: string
  enabled: boolean
}

export function formOf(key: ApiKey | undefined): KeyForm {
  return {
    name: key?.name ?? '',
    groupId: key?.group.id ?? '',
    isOwnSecret: false,
    secret: '',
    models: modelsText(key?.models ?? []),
    dailyLimit: key?.dailyLimit ? typedUsd(key.dailyLimit) : '',
    totalLimit: key?.totalLimit ? typedUsd(key.totalLimit) : '',
    expiry: key?.expiresAt ? 'keep' : 'never',
    expiryDate: '',
    enabled: key?.enabled ?? true,
  }
}

/** When the key ends, ISO 8601; null never; undefined: not changed. */
export function expiresAt(expiry: Expiry, date: string, now: number): string | null | undefined {
  if (expiry === 'keep') return undefined
  if (expiry === 'never') return null
  if (expiry === 'date') return new Date(date.replace(' ', 'T')).toISOString()
  return new Date(now + expiry * 86_400_000).toISOString()
}

export function readForm(form: KeyForm, now: number, words: { required: string; amount: string; short: string }) {
  const problems: Record<string, string> = {}
  if (form.name.trim() === '') problems['name'] = words.required
  if (form.groupId === '') problems['groupId'] = words.required
  if (form.isOwnSecret && form.secret.length < 20) problems['secret'] = words.short
  if (form.expiry === 'date' && form.expiryDate === '') problems['expiresAt'] = words.required
  const limits = { dailyLimit: limitOf(form.dailyLimit), totalLimit: limitOf(form.totalLimit) }
  if (limits.dailyLimit === undefined) problems['dailyLimit'] = words.amount
  if (limits.totalLimit === undefined) problems['totalLimit'] = words.amount
  const expiry = problems['expiresAt'] === undefined ? expiresAt(form.expiry, form.expiryDate, now) : undefined
  const input = {
    name: form.name.trim(),
    groupId: form.groupId,
    models: parseModels(form.models),
    dailyLimit: limits.dailyLimit ?? null,
    totalLimit: limits.totalLimit ?? null,
    enabled: form.enabled,
    ...(expiry === undefined ? {} : { expiresAt: expiry }),
  }
  return { problems, input }
}

const limitOf = (text: string): string | null | undefined => (text.trim() === '' ? null : parseUsd(text))
