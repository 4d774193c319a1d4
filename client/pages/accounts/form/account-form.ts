import type { Account, AccountPreset } from '../../../graphql/account-operations.ts'
import { modelsText, parseMapping, parseModels } from '../../../values/models-text.ts'
import { type Flags, formFlags, readFlags } from './format-flags.ts'

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
  /** Empty: the relay's own. */
  connectTimeoutSeconds: number | undefined
  firstByteTimeoutSeconds: number | undefined
  idleTimeoutSeconds: number | undefined
  /** Values cannot be read: headers stay as they are unless they are replaced. */
  replacesHeaders: boolean
  extraHeaders: { name: string; value: string }[]
  maxUtilization: { window: string; percent: number | undefined }[]
  flags: Flags
}

/** Fields of the input that stand behind "more". */
export const moreFields = [
  'connectTimeoutSeconds',
  'firstByteTimeoutSeconds',
  'idleTimeoutSeconds',
  'extraHeaders',
  'maxUtilization',
]

type Platform = Account['platform']

/** The form of an account of a known vendor. */
export function applyPreset(
  form: AccountForm,
  { platform, url, authHeader, modelMapping, formatFlags }: AccountPreset,
): void {
  const mapping = modelMapping.map(({ from, to }) => `${from} = ${to}`).join('\n')
  Object.assign(form, { platform, url, authHeader, mapping, flags: formFlags(formatFlags) })
}

/** The problem of a list, or of one of its entries. */
export const problemUnder = (problems: Record<string, string>, field: string): string | undefined =>
  problems[field] ?? Object.entries(problems).find(([path]) => path.startsWith(`${field}.`))?.[1]

/** Default URL of each platform. */
const addresses: Record<Platform, string> = {
  CLAUDE: 'https://api.anthropic.com',
  CONSOLE: 'https://api.anthropic.com',
  OPENAI: 'https://api.openai.com/v1',
  CODEX: 'https://api.openai.com/v1',
}

export const addressOf = (platform: Platform): string => addresses[platform]

const endpoints: Record<Platform, string> = {
  CLAUDE: '/v1/messages',
  CONSOLE: '/v1/messages',
  OPENAI: '/v1/chat/completions',
  CODEX: '/v1/responses',
}

/** Where requests of Claude Code go, as the server makes it of the base URL; undefined while that is none. */
export function finalUrl(platform: Platform, baseUrl: string): string | undefined {
  const url = URL.canParse(baseUrl.trim()) ? new URL(baseUrl.trim()) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search + url.hash !== '') return undefined
  const base = url.pathname
    .replace(/\/+$/, '')
    .replace(/(\/v1\/messages|\/chat\/completions|\/responses)$/, '')
    .replace(/\/v1$/, '')
    .replace(/\/+$/, '')
  const endpoint = endpoints[platform]
  const isOpenai = platform === 'OPENAI' || platform === 'CODEX'
  // Vendors of OpenAI's formats have versions of their own in the base URL.
  const hasVersion = isOpenai && /\/v\d\w*(\/|$)/.test(base)
  return url.origin + base + (hasVersion ? endpoint.slice('/v1'.length) : endpoint)
}

export const isOpenaiFormat = (platform: Platform): boolean => platform === 'OPENAI' || platform === 'CODEX'

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
    connectTimeoutSeconds: account?.connectTimeoutSeconds ?? undefined,
    firstByteTimeoutSeconds: account?.firstByteTimeoutSeconds ?? undefined,
    idleTimeoutSeconds: account?.idleTimeoutSeconds ?? undefined,
    replacesHeaders: false,
    extraHeaders: [],
    maxUtilization:
      account?.maxUtilization.map(({ window, share }) => ({ window, percent: Math.round(share * 100) })) ?? [],
    flags: formFlags(account?.formatFlags),
  }
}

/** The input without the credentials, plus problems by field; `words` gives the texts. */
export function readForm(
  form: AccountForm,
  needsSecret: boolean,
  words: { required: string; mapping: (line: string) => string },
  before?: Account,
) {
  const problems: Record<string, string> = {}
  for (const field of ['name', 'url', ...(needsSecret ? (['upstreamApiKey'] as const) : [])] as const) {
    if (form[field].trim() === '') problems[field] = words.required
  }
  if (form.groupIds.length === 0) problems['groupIds'] = words.required
  const { mapping, wrong } = parseMapping(form.mapping)
  if (wrong !== undefined) problems['modelMapping'] = words.mapping(wrong)
  const { platform, authHeader, groupIds, priority, weight, enabled } = form
  const { extraHeaders, maxUtilization } = form
  if (extraHeaders.some(({ name, value }) => name.trim() === '' || value === ''))
    problems['extraHeaders'] = words.required
  if (maxUtilization.some(({ window, percent }) => window === '' || percent === undefined))
    problems['maxUtilization'] = words.required
  // The server forgets headers of another address, and flags that it has learnt go with flags that are given.
  const sendsHeaders = form.replacesHeaders || extraHeaders.length > 0
  const flags = readFlags(form.flags)
  const sendsFlags =
    isOpenaiFormat(platform) && JSON.stringify(flags) !== JSON.stringify(readFlags(formFlags(before?.formatFlags)))
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
    connectTimeoutSeconds: form.connectTimeoutSeconds ?? null,
    firstByteTimeoutSeconds: form.firstByteTimeoutSeconds ?? null,
    idleTimeoutSeconds: form.idleTimeoutSeconds ?? null,
    maxUtilization: maxUtilization.map(({ window, percent = 0 }) => ({ window, share: percent / 100 })),
    ...(sendsHeaders && { extraHeaders: extraHeaders.map(({ name, value }) => ({ name: name.trim(), value })) }),
    ...(sendsFlags && { formatFlags: flags }),
    // Not sent: stays as it is. null: the proxy is taken away.
    ...(form.clearProxy ? { proxy: null } : form.proxy.trim() === '' ? {} : { proxy: form.proxy.trim() }),
  }
  return { problems, input }
}

/** Whether a save changes what the upstream sees, or nobody knows yet that the account works. */
export function needsTest(before: Account | undefined, input: Partial<Record<string, unknown>>): boolean {
  if (before?.isTested !== true) return true
  if (['upstreamApiKey', 'login', 'proxy', 'extraHeaders', 'formatFlags'].some((name) => name in input)) return true
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
