import { type LimitsForm, limitsForm, readLimits } from '../../forms/limits.ts'
import type { ApiKey } from '../../graphql/key-operations.ts'
import { modelsText, parseModels } from '../../values/models-text.ts'

/** `keep` only for a key that exists; numbers are days from now, `firstUse` is days from its first use. */
export type Expiry = 'keep' | 'never' | 'date' | 'firstUse' | 1 | 3 | 7 | 30

export interface KeyForm {
  name: string
  groupId: string
  isOwnSecret: boolean
  secret: string
  models: string
  limits: LimitsForm
  /** Empty: no limit. */
  requestsPerMinute: number | undefined
  tokensPerMinute: number | undefined
  concurrency: number | undefined
  /** One a line; empty: all. */
  allowedAddresses: string
  allowedClients: string
  expiry: Expiry
  expiryDate: string
  validForDays: number | undefined
  enabled: boolean
}

export function formOf(key: ApiKey | undefined): KeyForm {
  return {
    name: key?.name ?? '',
    groupId: key?.group.id ?? '',
    isOwnSecret: false,
    secret: '',
    models: modelsText(key?.models ?? []),
    limits: limitsForm(key),
    requestsPerMinute: key?.requestsPerMinute ?? undefined,
    tokensPerMinute: key?.tokensPerMinute ?? undefined,
    concurrency: key?.concurrency ?? undefined,
    allowedAddresses: key?.allowedAddresses.join('\n') ?? '',
    allowedClients: key?.allowedClients.join('\n') ?? '',
    expiry: key?.expiresAt ? 'keep' : key?.validForDays ? 'firstUse' : 'never',
    expiryDate: '',
    validForDays: key?.validForDays ?? 30,
    enabled: key?.enabled ?? true,
  }
}

/** When the key ends, ISO 8601; null never; undefined: not changed. */
export function expiresAt(expiry: Expiry, date: string, now: number): string | null | undefined {
  if (expiry === 'keep') return undefined
  // The first use sets it.
  if (expiry === 'never' || expiry === 'firstUse') return null
  if (expiry === 'date') return new Date(date.replace(' ', 'T')).toISOString()
  return new Date(now + expiry * 86_400_000).toISOString()
}

export function readForm(form: KeyForm, now: number, words: { required: string; amount: string; short: string }) {
  const problems: Record<string, string> = {}
  if (form.name.trim() === '') problems['name'] = words.required
  if (form.groupId === '') problems['groupId'] = words.required
  if (form.isOwnSecret && form.secret.length < 20) problems['secret'] = words.short
  if (form.expiry === 'date' && form.expiryDate === '') problems['expiresAt'] = words.required
  if (form.expiry === 'firstUse' && !form.validForDays) problems['validForDays'] = words.required
  const limits = readLimits(form.limits, words.amount)
  Object.assign(problems, limits.problems)
  const expiry = problems['expiresAt'] === undefined ? expiresAt(form.expiry, form.expiryDate, now) : undefined
  const input = {
    name: form.name.trim(),
    groupId: form.groupId,
    models: parseModels(form.models),
    ...limits.input,
    requestsPerMinute: form.requestsPerMinute ?? null,
    tokensPerMinute: form.tokensPerMinute ?? null,
    concurrency: form.concurrency ?? null,
    allowedAddresses: linesOf(form.allowedAddresses, /[\s,，]+/),
    // User agents have spaces.
    allowedClients: linesOf(form.allowedClients, /\n/),
    enabled: form.enabled,
    ...(expiry === undefined
      ? {}
      : { expiresAt: expiry, validForDays: form.expiry === 'firstUse' ? (form.validForDays ?? null) : null }),
  }
  return { problems, input }
}

const linesOf = (text: string, between: RegExp): string[] =>
  text
    .split(between)
    .map((line) => line.trim())
    .filter((line) => line !== '')
