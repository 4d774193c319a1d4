import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import type { ApiKey } from '../../server/keys/api-key.ts'
import { createModelList, createModelMapping } from '../../server/model-patterns.ts'
import { type KnownModels, modelList } from '../../server/relay/request/models.ts'
import { accountOf } from './some-account.ts'

interface Page {
  data: { id: string; display_name: string }[]
  has_more: boolean
  first_id: string | null
  last_id: string | null
}

const known: KnownModels = {
  names: ['claude-opus-4-5', 'claude-haiku-4-5-20251001', 'claude-sonnet-5-5', 'gpt-5'],
  speaksClaude: () => true,
}
const keyOf = (models: string[]) => ({ models: createModelList(models) }) as ApiKey
const page = (query = '', accounts: Account[] = [accountOf()], models = ['*']) =>
  modelList(keyOf(models), accounts, known, '/v1/models', query) as Page
const ids = (found: Page) => found.data.map((model) => model.id)

test('behind a wildcard stand the Claude models with a price, in descending order, under readable names', () => {
  expect(page()).toMatchObject({ has_more: false, first_id: 'claude-sonnet-5-5', last_id: 'claude-haiku-4-5-20251001' })
  expect(page().data.map((model) => model.display_name)).toEqual([
    'Claude Sonnet 5.5',
    'Claude Opus 4.5',
    'Claude Haiku 4.5',
  ])
})

test('names that lists and mappings spell out are listed once, whatever their letters', () => {
  const account = accountOf({
    models: createModelList(['GLM-4.6', 'claude-opus-*']),
    mapping: createModelMapping({ 'claude-opus-via-glm': 'glm-4.6', 'claude-x-*': 'glm-4.6' }),
  })
  expect(ids(page('', [account, accountOf({ models: createModelList(['glm-4.6']) })]))).toEqual([
    // Claude Code leaves out ids without the word.
    'claude-via-GLM-4.6',
    'claude-opus-via-glm',
    'claude-opus-4-5',
  ])
})

test('only what the key may use and some account serves is listed', () => {
  expect(ids(page('', [accountOf()], ['claude-opus-*', 'own-model']))).toEqual([
    'claude-via-own-model',
    'claude-opus-4-5',
  ])
  expect(ids(page('', [accountOf({ enabled: false })]))).toEqual([])
  expect(page('', [])).toEqual({ data: [], has_more: false, first_id: null, last_id: null })
})

test('pages go forward by after_id and backward by before_id, also from a model that is gone', () => {
  expect(page('?limit=2')).toMatchObject({ has_more: true, last_id: 'claude-opus-4-5' })
  expect(ids(page('?limit=2&after_id=claude-opus-4-5'))).toEqual(['claude-haiku-4-5-20251001'])
  expect(ids(page('?after_id=claude-opus-4-9'))).toEqual(['claude-opus-4-5', 'claude-haiku-4-5-20251001'])
  expect(ids(page('?after_id=claude-haiku-4-5-20251001'))).toEqual([])
  expect(page('?limit=1&before_id=claude-haiku-4-5-20251001')).toMatchObject({
    has_more: true,
    first_id: 'claude-opus-4-5',
  })
  expect(ids(page('?before_id=claude-opus-4-5'))).toEqual(['claude-sonnet-5-5'])
})

test('a limit that is none is not obeyed', () => {
  for (const query of ['?limit=0', '?limit=1']) expect(page(query).data.length).toBe(1)
  for (const query of ['?limit=', '?limit=-2', '?limit=x', '?limit=99999', '?unlimit=1', '']) {
    expect(page(query).data.length).toBe(3)
  }
})

test('one model is found by its name in any letters, encoded or not', () => {
  const get = (id: string) => modelList(keyOf(['*']), [accountOf()], known, `/v1/models/${id}`, '')
  expect(get('CLAUDE-opus-4-5')).toMatchObject({ id: 'claude-opus-4-5' })
  expect(get('claude%2Dopus-4-5')).toMatchObject({ id: 'claude-opus-4-5' })
  expect(get('gpt-5')).toMatchObject({
    code: 'model_not_found',
    message: 'model: "gpt-5" is not available to this API key.',
  })
  expect(get('%ff')).toMatchObject({ code: 'model_not_found' })
  expect(get('')).toMatchObject({ has_more: false })
})
