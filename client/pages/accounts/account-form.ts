import type { Account } from '../../graphql/account-operations.ts'
import { modelsText, parseMapping, parseModels } from '../models-text.ts'

export interface AccountForm {
  name: string
  platform: Account['platform']
  url: string
  authHeader: Account['authHeader']
  upstreamApiKey: string
  groupIds: string[]
  priority: number
  weight: number
  /** Empty: no limit. */
  concurrencyLimit: number | undefined
  models: string
  mapping: string
  proxy: string
  clearProxy: boolean
  plan: string
  enabled: boolean
}

/** Default URL of each platform. */
const addresses: Record<Account['platform'], string> = {
  CLAUDE: 'https://api.anthropic.com',
  CONSOLE: 'https://api.anthropic.com',
  OPENAI: 'https://api.openai.com/v1',
  CODEX: 'https://api.openai.com/v1',
}

export const addressOf = (platform: Account['platform']): string => addresses[platform]

export function formOf(account: Account | undefined): AccountForm {
  return {
    name: account?.name ?? '',
    platform: account?.platform ?? 'CONSOLE',
    url: account?.url ?? addresses.CONSOLE,
    authHeader: account?.authHeader ?? 'X_API_KEY',
    upstreamApiKey: '',
    groupIds: account?.groups.map(({ id }) => id) ?? [],
    priority: account?.priority ?? 100,
    weight: account?.weight ?? 100,
    concurrencyLimit: account?.concurrencyLimit ?? undefined,
    models: modelsText(account?.models ?? []),
    mapping: account?.modelMapping.map(({ from, to }) => `${from} = ${to}`).join('\n') ?? '',
    proxy: '',
    clearProxy: false,
    plan: account?.plan ?? '',
    enabled: account?.enabled ?? true,
  }
}

/** The input without the credentials, plus problems by field; `words` gives the texts. */
export function readForm(
  form: AccountForm,
  needsSecret: boolean,
  words: { required: string; mapping: (line: string) => string },
) {
  const problems: Record<string, string> = {}
  for (const field of ['name', 'url', ...(needsSecret ? (['upstreamApiKey'] as const) : [])] as const) {
    if (form[field].trim() === '') problems[field] = words.required
  }
  if (form.groupIds.length === 0) problems['groupIds'] = words.required
  const { mapping, wrong } = parseMapping(form.mapping)
  if (wrong !== undefined) problems['modelMapping'] = words.mapping(wrong)
  const { platform, authHeader, groupIds, priority, weight, enabled } = form
  const input = {
    name: form.name.trim(),
    platform,
    url: form.url.trim(),
    authHeader,
    groupIds,
    priority,
    weight,
    concurrencyLimit: form.concurrencyLimit ?? null,
    models: parseModels(form.models),
    modelMapping: mapping,
    enabled,
    // Not sent: stays as it is. null: the proxy is taken away.
    ...(form.clearProxy ? { proxy: null } : form.proxy.trim() === '' ? {} : { proxy: form.proxy.trim() }),
  }
  return { problems, input }
}

/** Whether a save changes what the upstream sees, or nobody knows yet that the account works. */
export function needsTest(before: Account | undefined, input: Partial<Record<string, unknown>>): boolean {
  if (before?.isTested !== true) return true
  if (['upstreamApiKey', 'login', 'proxy'].some((name) => name in input)) return true
  return (['platform', 'url', 'authHeader', 'modelMapping'] as const).some(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(input[name]),
  )
}

/** A model to test the account with: the first that it names in full, else Haiku where the upstream knows Claude's models. */
export function testModel(account: Pick<Account, 'models' | 'platform' | 'modelMapping'>): string {
  const named = account.models.find((model) => !model.includes('*'))
  const isClaude = account.platform === 'CLAUDE' || account.platform === 'CONSOLE'
  const mapsClaude = account.modelMapping.some(({ from }) => from === '*' || from.startsWith('claude-'))
  return named ?? (isClaude || mapsClaude ? 'claude-haiku-4-5' : '')
}
