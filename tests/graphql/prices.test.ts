import { expect, test } from 'vitest'
import { noReading, noTokens } from '../../server/money/reading.ts'
import { startGraphqlStand } from './stand.ts'

const code = '__typename ... on Failure { code }'
const failures = '__typename ... on InputFailure { fields { path code message } } ... on Failure { code }'
const card =
  'id model origin from to confirmed retiredAt inForce tiers { abovePromptTokens speed input output cacheWrite5m cacheRead derived }'
const documents = {
  add: `mutation ($input: AddPriceCardInput!) { result: addPriceCard(input: $input) { ... on AddPriceCardSuccess { priceCard { ${card} } } ${failures} } }`,
  edit: `mutation ($input: EditPriceCardInput!) { result: editPriceCard(input: $input) { ... on EditPriceCardSuccess { priceCard { ${card} } } ${failures} } }`,
  confirm: `mutation ($input: PriceCardIdInput!) { result: confirmPriceCard(input: $input) { ... on ConfirmPriceCardSuccess { priceCard { ${card} } } ${failures} } }`,
  retire: `mutation ($input: PriceCardIdInput!) { result: retirePriceCard(input: $input) { ... on RetirePriceCardSuccess { priceCard { ${card} } } ${code} } }`,
  setPrice: `mutation ($input: SetAccountPriceInput!) { result: setAccountPrice(input: $input) { ... on SetAccountPriceSuccess { account { prices { id model multiplier to card { tiers { input } } } } } ${failures} } }`,
  endPrice: `mutation ($input: EndAccountPriceInput!) { result: endAccountPrice(input: $input) { ... on EndAccountPriceSuccess { account { prices { id to } } } ${code} } }`,
  preview: `mutation ($input: PreviewPriceImportInput!) { result: previewPriceImport(input: $input) { ... on PreviewPriceImportSuccess { new changed same skipped entries { model status skipReason card { id } tiers { input } } } ${failures} } }`,
  import: `mutation ($input: ImportPricesInput!) { result: importPrices(input: $input) { ... on ImportPricesSuccess { added priceCards { ${card} } } ${failures} } }`,
}

async function startPrices() {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  const run = async (document: keyof typeof documents, input: object) => {
    const { data, errors } = await stand.ask(documents[document], { input }, ada)
    expect(errors).toBeUndefined()
    return data.result
  }
  /** Nano-USD of a thousand tokens in. */
  const cost = (model: string, accountId = 0, atMs = stand.clock.atMs) =>
    stand.prices.price({ ...noReading, model, source: 'final', tokens: { ...noTokens, input: 1_000 } }, atMs, accountId)
      .totalNano
  return { stand, ada, run, cost }
}

const tiers = [{ input: '3.5', output: '7' }]
const house = { model: 'House-1', vendor: 'house', tiers, source: 'our own list' }
const day = 24 * 3_600_000
const inDays = (days: number) => new Date(Date.now() + days * day).toISOString()

test('a price is added, edited from a date on and taken out of use; every card stays in the history, and each change in the audit log', async () => {
  const { stand, ada, run, cost } = await startPrices()
  expect(cost('house-1')).toBe(5_000_000)
  const first = (await run('add', house)).priceCard
  expect(first).toMatchObject({ model: 'house-1', origin: 'MANUAL', inForce: true, to: null })
  expect(first.tiers).toEqual([
    {
      abovePromptTokens: 0,
      speed: 'STANDARD',
      input: '3.5',
      output: '7',
      cacheWrite5m: '4.375',
      cacheRead: '0.35',
      derived: true,
    },
  ])
  expect(cost('house-1')).toBe(3_500_000)
  stand.clock.atMs += 1_000
  const second = (await run('edit', { id: first.id, tiers: [{ input: '4', output: '8', cacheRead: '0.1' }] })).priceCard
  expect(second.id).not.toBe(first.id)
  expect(cost('house-1')).toBe(4_000_000)
  expect(cost('house-1', 0, Date.parse(second.from) - 1)).toBe(3_500_000)
  const history = `query ($id: ID!) { priceCard(id: $id) { history { id to } } }`
  expect((await stand.ask(history, { id: first.id }, ada)).data.priceCard.history).toEqual([
    { id: second.id, to: null },
    { id: first.id, to: second.from },
  ])
  await run('retire', { id: second.id })
  expect(cost('house-1')).toBe(5_000_000)
  expect(await run('retire', { id: second.id })).toMatchObject({ __typename: 'ConflictFailure', code: 'CARD_RETIRED' })
  const rows = await stand.client.apiLog.findMany({ where: { objectType: 'PriceCard' } })
  expect(rows.map(({ action }) => action)).toEqual(['addPriceCard', 'editPriceCard', 'retirePriceCard'])
})

test('a card of people comes before the built-in one of its model, which holds again when that is taken out of use', async () => {
  const { run, cost } = await startPrices()
  expect(cost('claude-opus-5-5')).toBe(4_000_000)
  const mine = (await run('edit', { id: 'claude-opus-5-5@2026-09-22', tiers: [{ input: '1', output: '2' }] })).priceCard
  expect(mine).toMatchObject({ model: 'claude-opus-5-5', origin: 'MANUAL' })
  expect(cost('claude-opus-5-5-20261001')).toBe(1_000_000)
  // From the same begin it takes the place of the card that it corrects.
  const right = (await run('edit', { id: mine.id, from: mine.from, tiers: [{ input: '1.5', output: '2' }] })).priceCard
  expect([right.from, cost('claude-opus-5-5')]).toEqual([mine.from, 1_500_000])
  await run('retire', { id: right.id })
  expect(cost('claude-opus-5-5')).toBe(4_000_000)
})

test('a card that begins later prices nothing until somebody confirms it', async () => {
  const { run, cost } = await startPrices()
  await run('add', { ...house, from: inDays(-2) })
  const announced = (await run('add', { ...house, from: inDays(1), tiers: [{ input: '9', output: '9' }] })).priceCard
  expect(announced.confirmed).toBe(false)
  expect(cost('house-1', 0, Date.now() + 2 * day)).toBe(3_500_000)
  expect((await run('confirm', { id: announced.id })).priceCard.confirmed).toBe(true)
  expect(cost('house-1', 0, Date.now() + 2 * day)).toBe(9_000_000)
  expect(cost('house-1')).toBe(3_500_000)
  expect(await run('confirm', { id: announced.id })).toMatchObject({ code: 'CARD_CONFIRMED' })
})

test('what is wrong with a price is told by field, with what would be right', async () => {
  const { run } = await startPrices()
  const problems = async (more: object) =>
    ((await run('add', { ...house, ...more })).fields ?? []).map(
      ({ path, code, message }: { path: string; code: string; message: string }) => [path, code, message],
    )
  const rate = (input: unknown) => ({ tiers: [{ input, output: '1' }] })
  expect(await problems(rate('-3'))).toEqual([['tiers[0].input', 'NEGATIVE', 'must not be negative']])
  expect(await problems(rate(3))).toEqual([
    ['tiers[0].input', 'AMOUNT_NOT_TEXT', 'must be in quotes, such as "12.50": amounts are decimal text'],
  ])
  expect((await problems(rate('3.1234567')))[0]).toMatchObject(['tiers[0].input', 'RATE_MALFORMED', /6 digits/])
  expect(
    await problems({
      tiers: [...tiers, { ...tiers[0], abovePromptTokens: 200_000 }, { ...tiers[0], abovePromptTokens: 100_000 }],
    }),
  ).toEqual([
    ['tiers[2].abovePromptTokens', 'TIER_ORDER', 'must be more than 200000: tiers stand in the order of their lengths'],
  ])
  expect(await problems({ tiers: [{ ...tiers[0], abovePromptTokens: 5 }] })).toEqual([
    ['tiers[0].abovePromptTokens', 'TIER_FIRST', 'must be 0: the first tier of a speed is for all prompts'],
  ])
  expect(await problems({ from: inDays(-1), to: inDays(-2) })).toEqual([
    ['to', 'ENDS_BEFORE_BEGIN', 'must be after the begin'],
  ])
  expect(await problems({ batchFactor: '0' })).toEqual([
    ['batchFactor', 'FACTOR_ZERO', 'must be more than 0: it would make everything free'],
  ])
  const [from, to] = [inDays(-3), inDays(-1)]
  await run('add', { ...house, from, to })
  expect(await problems({ from: inDays(-2) })).toEqual([
    [
      'from',
      'DATES_OVERLAP',
      `overlaps the price that holds from ${from} to ${to}: choose other dates, or edit that one`,
    ],
  ])
  expect(await problems({ from: to })).toEqual([])
})

test('an account charges a multiple of the list price, or rates of its own, for all models or for some', async () => {
  const { stand, ada, run, cost } = await startPrices()
  await stand.provision({
    groups: [{ name: 'team' }],
    accounts: [{ name: 'mirror', url: 'http://127.0.0.1:1', groups: ['team'], secret: 'sk-upstream-123456789' }],
  })
  const account = (await stand.ask('{ accounts { nodes { id } } }', {}, ada)).data.accounts.nodes[0].id as string
  const accountId = (await stand.client.account.findFirstOrThrow()).id
  await run('setPrice', { accountId: account, multiplier: '0.5' })
  await run('setPrice', { accountId: account, model: 'claude-haiku-*', tiers: [{ input: '0.02', output: '1' }] })
  const set = await run('setPrice', { accountId: account, model: 'claude-opus-5-5', multiplier: '1.25' })
  expect(set.account.prices).toMatchObject([
    { model: 'claude-opus-5-5', multiplier: '1.25' },
    { model: 'claude-haiku-*', multiplier: null, card: { tiers: [{ input: '0.02' }] } },
    { model: null, multiplier: '0.5' },
  ])
  const costs = (id: number) =>
    ['claude-sonnet-5', 'claude-haiku-5-5', 'claude-opus-5-5-20261001'].map((model) => cost(model, id))
  expect(costs(accountId)).toEqual([1_000_000, 20_000, 5_000_000])
  expect(costs(0)).toEqual([2_000_000, 100_000, 4_000_000])
  expect(costs(accountId + 1)).toEqual(costs(0))
  // What it charged before ends where the new price begins.
  await run('setPrice', { accountId: account, multiplier: '0.6' })
  expect(cost('claude-sonnet-5', accountId)).toBe(1_200_000)
  await run('endPrice', { id: set.account.prices[0].id })
  expect(cost('claude-opus-5-5', accountId)).toBe(2_400_000)
  expect((await run('setPrice', { accountId: account, multiplier: '1', tiers })).fields[0].code).toBe(
    'MULTIPLIER_OR_RATES',
  )
  expect((await run('setPrice', { accountId: account })).fields[0].code).toBe('MULTIPLIER_OR_RATES')
})

test('a price file is compared with the book, and what is chosen of it is imported', async () => {
  const { run, cost } = await startPrices()
  const file = JSON.stringify({
    sample_spec: { input_cost_per_token: 0 },
    'claude-opus-5-5': {
      litellm_provider: 'anthropic',
      mode: 'chat',
      input_cost_per_token: 3e-6,
      output_cost_per_token: 2e-5,
    },
    'claude-opus-5': {
      litellm_provider: 'anthropic',
      input_cost_per_token: 5e-6,
      output_cost_per_token: 25e-6,
      cache_read_input_token_cost: 5e-7,
    },
    'new-model': { litellm_provider: 'house', mode: 'chat', input_cost_per_token: 1.5e-7, output_cost_per_token: 6e-7 },
    'a-picture': { litellm_provider: 'house', mode: 'image_generation', input_cost_per_token: 1e-6 },
  })
  const preview = await run('preview', { file })
  expect([preview.changed, preview.new, preview.same, preview.skipped]).toEqual([1, 1, 1, 1])
  expect(preview.entries).toEqual([
    {
      model: 'claude-opus-5-5',
      status: 'CHANGED',
      skipReason: null,
      card: { id: 'claude-opus-5-5@2026-09-22' },
      tiers: [{ input: '3' }, { input: '8' }],
    },
    { model: 'new-model', status: 'NEW', skipReason: null, card: null, tiers: [{ input: '0.15' }] },
    {
      model: 'claude-opus-5',
      status: 'SAME',
      skipReason: null,
      card: { id: 'claude-opus-5' },
      tiers: [{ input: '5' }, { input: '10' }],
    },
    { model: 'a-picture', status: 'SKIPPED', skipReason: 'NOT_TEXT', card: null, tiers: [] },
  ])
  expect([cost('claude-opus-5-5'), cost('new-model')]).toEqual([4_000_000, 5_000_000])
  const imported = await run('import', { file, models: ['new-model', 'claude-opus-5-5'] })
  expect(imported).toMatchObject({ added: 2, priceCards: [{ origin: 'IMPORTED' }, { origin: 'IMPORTED' }] })
  expect([cost('claude-opus-5-5'), cost('new-model')]).toEqual([3_000_000, 150_000])
  expect(await run('preview', { file })).toMatchObject({ changed: 0, new: 0, same: 3 })
  expect((await run('import', { file, models: ['a-picture'] })).fields).toMatchObject([
    { path: 'models[0]', code: 'MODEL_NOT_IN_FILE' },
  ])
  expect((await run('preview', { file: 'no' })).fields).toMatchObject([{ path: 'file', code: 'PRICE_FILE_NOT_JSON' }])
  expect((await run('preview', { file: '{"a":{"b":1}}' })).fields).toMatchObject([
    { path: 'file', code: 'PRICE_FILE_FOREIGN' },
  ])
})

test('a price file of a megabyte is taken from an administrator, and from nobody else', async () => {
  const { stand, ada, run } = await startPrices()
  const bob = await stand.addUser('bob', 'user')
  const model = { litellm_provider: 'house', mode: 'chat', input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }
  const file = JSON.stringify(
    Object.fromEntries(Array.from({ length: 9_000 }, (_, index) => [`model-${index}`, model])),
  )
  expect(file.length).toBeGreaterThan(1e6)
  expect((await run('preview', { file })).new).toBe(9_000)
  const refused = await stand.ask(documents.preview, { input: { file } }, bob)
  expect(refused.errors?.[0]).toMatchObject({ extensions: { code: 'BODY_TOO_LARGE' } })
  expect((await stand.ask('{ viewer { __typename } }', {}, ada)).status).toBe(200)
})

test('cards are listed by model, vendor, origin and force, page by page', async () => {
  const { stand, ada, run } = await startPrices()
  await run('add', house)
  const list = async (filter: object, more: object = {}) => {
    const query =
      'query ($filter: PriceCardFilter, $first: Int, $after: String) { priceCards(filter: $filter, first: $first, after: $after) { nodes { id model inForce } pageInfo { hasNextPage endCursor } } }'
    const { data, errors } = await stand.ask(query, { filter, ...more }, ada)
    expect(errors).toBeUndefined()
    return data.priceCards
  }
  const ids = async (filter: object) => (await list(filter)).nodes.map(({ id }: { id: string }) => id)
  expect(await ids({ search: 'sonnet-5-5' })).toEqual(['claude-sonnet-5-5@2026-10-07', 'claude-sonnet-5-5'])
  expect(await ids({ search: 'sonnet-5-5', inForce: true })).toEqual(['claude-sonnet-5-5@2026-10-07'])
  expect((await list({ origins: ['MANUAL'] })).nodes.map(({ model }: { model: string }) => model)).toEqual(['house-1'])
  const page = await list({ vendors: ['moonshot'] }, { first: 2 })
  expect(page.pageInfo.hasNextPage).toBe(true)
  const next = await list({ vendors: ['moonshot'] }, { first: 100, after: page.pageInfo.endCursor })
  expect(page.nodes.length + next.nodes.length).toBe(5)
  expect(next.pageInfo.hasNextPage).toBe(false)
})

test('people who are no administrators read prices and change none', async () => {
  const { stand } = await startPrices()
  const bob = await stand.addUser('bob', 'user')
  expect((await stand.ask('{ priceCards(first: 1) { nodes { id } } }', {}, bob)).errors).toBeUndefined()
  const { errors } = await stand.ask(documents.add, { input: house }, bob)
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } })
})
