// The list of models as OpenAI's SDKs read it.
import type { Account } from '../../accounts/account.ts'
import { type Failure, fail } from '../../errors.ts'
import type { ApiKey } from '../../keys/api-key.ts'
import { decode, type KnownModels, reachableModels } from './models.ts'

/** Response to GET /v1/models and /v1/models/{id}. */
export function openaiModelList(
  key: ApiKey,
  accounts: readonly Account[],
  known: KnownModels,
  route: string,
): object | Failure {
  const data = reachableModels(key, accounts, known).map((id) => ({
    id,
    object: 'model',
    created: 0,
    owned_by: 'relay',
  }))
  const id = decode(route.slice('/v1/models/'.length))
  if (id === '') return { object: 'list', data }
  return (
    data.find((model) => model.id.toLowerCase() === id.toLowerCase()) ??
    fail('model_not_found', `The model ${JSON.stringify(id.slice(0, 100))} is not available to this API key.`)
  )
}
