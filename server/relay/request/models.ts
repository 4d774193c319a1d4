// The list of models that a key may use.
import type { Account } from '../../accounts/account.ts'
import { type Failure, fail } from '../../errors.ts'
import type { ApiKey } from '../../keys/keys.ts'
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
  known: readonly string[],
  route: string,
  query: string,
): object | Failure {
  const models = modelsOf(key, accounts, known)
  const id = decode(route.slice('/v1/models/'.length))
  if (id !== '') {
    const model = models.find((found) => found.id.toLowerCase() === id.toLowerCase())
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

/** Names that a list or a mapping spells out, and where a wildcard allows them the Claude models with a price of their own. */
function modelsOf(key: ApiKey, accounts: readonly Account[], known: readonly string[]): ModelInfo[] {
  const claude = known.filter((name) => name.startsWith('claude-'))
  const ids = new Map<string, string>()
  for (const account of accounts) {
    for (const name of [...account.mapping.names, ...account.models.names, ...key.models.names, ...claude]) {
      if (name.includes('*') || !serves(account, name) || !key.models.allows(name)) continue
      if (!ids.has(name.toLowerCase())) ids.set(name.toLowerCase(), name)
    }
  }
  return [...ids.values()]
    .sort((a, b) => (a < b ? 1 : -1))
    .map((id) => ({ type: 'model', id, display_name: displayName(id), created_at: '1970-01-01T00:00:00Z' }))
}

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

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
