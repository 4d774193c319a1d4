// The list of models that a key may use.
import type { Account } from '../../accounts/account.ts'
import { type Failure, fail } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import { serves } from '../routing/schedule.ts'

interface ModelInfo {
  type: 'model'
  id: string
  display_name: string
  created_at: string
}

/**
 * Response to GET /v1/models and /v1/models/{id}: what this key may use and some account of its group serves. Pages as the
 * vendor's: `limit` (20, at most 1000), `after_id`, `before_id`; ids in descending order, so that newer models come first.
 */
export function modelList(
  key: ApiKey,
  accounts: readonly Account[],
  known: KnownModels,
  route: string,
  query: string,
): object | Failure {
  const models = reachableModels(key, accounts, known)
    .map(infoOf)
    .sort((a, b) => (a.id < b.id ? 1 : -1))
  const id = decode(route.slice('/v1/models/'.length))
  if (id !== '') {
    const wanted = aliasFor(id).toLowerCase()
    const model = models.find((found) => found.id.toLowerCase() === wanted)
    return (
      model ?? fail('model_not_found', `model: ${JSON.stringify(id.slice(0, 100))} is not available to this API key.`)
    )
  }
  const limit = Math.min(Math.max(1, Number(/[?&]limit=(\d{1,5})/.exec(query)?.[1] ?? 20)), 1000)
  const after = decode(/[?&]after_id=([^&]*)/.exec(query)?.[1] ?? '')
  const before = decode(/[?&]before_id=([^&]*)/.exec(query)?.[1] ?? '')
  // By order, not by place: a cursor still works when its model has gone meanwhile.
  const rest = models.filter((model) => (after === '' || model.id < after) && (before === '' || model.id > before))
  const data = before === '' || after !== '' ? rest.slice(0, limit) : rest.slice(-limit)
  return {
    data,
    has_more: data.length < rest.length,
    first_id: data[0]?.id ?? null,
    last_id: data[data.length - 1]?.id ?? null,
  }
}

/** Models with a price of their own, and whether an account knows those of Claude by their own names. */
export interface KnownModels {
  names: readonly string[]
  speaksClaude(account: Account): boolean
}

/**
 * Names that a list or a mapping spells out, and where a wildcard allows them the Claude models with a price of their own; in
 * descending order, each once.
 */
export function reachableModels(key: ApiKey, accounts: readonly Account[], known: KnownModels): string[] {
  const claude = known.names.filter((name) => name.startsWith('claude-'))
  const ids = new Map<string, string>()
  for (const account of accounts) {
    const { mapping, models } = account
    const usual = known.speaksClaude(account) ? claude : claude.filter((name) => mapping.map(name) !== name)
    for (const name of [...mapping.names, ...models.names, ...key.models.names, ...usual]) {
      if (name.includes('*') || !serves(account, name) || !key.models.allows(name)) continue
      if (!ids.has(name.toLowerCase())) ids.set(name.toLowerCase(), name)
    }
  }
  return [...ids.values()].sort((a, b) => (a < b ? 1 : -1))
}

/** Claude Code leaves out ids in which neither of these words stands, and older versions those that begin otherwise. */
const aliasPrefix = 'claude-via-'

const aliasFor = (id: string): string => (/claude|anthropic/i.test(id) ? id : aliasPrefix + id)

/** The model that an alias of ours stands for; any other name as it is. */
export function modelBehind(name: string, isOwnName: (name: string) => boolean): string {
  return name.startsWith(aliasPrefix) && name.length > aliasPrefix.length && !isOwnName(name)
    ? name.slice(aliasPrefix.length)
    : name
}

const infoOf = (id: string): ModelInfo => ({
  type: 'model',
  id: aliasFor(id),
  display_name: displayName(id),
  created_at: '1970-01-01T00:00:00Z',
})

/** claude-opus-4-5 → Claude Opus 4.5; other names as they are. */
function displayName(id: string): string {
  if (!id.startsWith('claude-')) return id
  return id
    .replace(/-(\d{8})$/, '')
    .replace(/(\d)-(\d)/g, '$1.$2')
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
