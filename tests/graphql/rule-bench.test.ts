import { expect, test } from 'vitest'
import { attemptColumns } from '../../server/ledger/rows.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import type { Scalar } from '../../server/store/database.ts'
import { rule, startRules } from './rules-stand.ts'
import type { GraphqlStand } from './stand.ts'

/** Failed attempts of these accounts, so many each. */
async function addAttempts(stand: GraphqlStand, rows: { atMs: number; times: number; [column: string]: Scalar }[]) {
  let number = 0
  const cells = rows.flatMap(({ atMs, times, ...row }) =>
    Array.from({ length: times }, () =>
      attemptColumns.map((name): Scalar => {
        if (name === 'log_id') return String(firstKeyAt(atMs) + BigInt(++number))
        if (name === 'started_at_ms') return atMs
        return row[name] ?? (/model|type|request_id|source|card|code|outcome/.test(name) ? '' : 0)
      }),
    ),
  )
  await stand.database.batch([{ kind: 'insert', table: 'attempts', columns: attemptColumns, rows: cells }])
}

test('a rule is tried on the failed attempts of the last hours: what is decided today, what would be, whom it would have touched', async () => {
  const { stand, run, list } = await startRules()
  await stand.provision({
    groups: [{ name: 'g' }],
    accounts: ['a', 'b', 'c'].map((name) => ({
      name,
      url: 'https://api.example.com',
      secret: 'sk-upstream-012',
      groups: ['g'],
    })),
  })
  const atMs = stand.clock.atMs - 3_600_000
  const odd = { atMs, outcome: 'caller', http_status: 400, error_type: 'invalid_request_error', error_code: 'quota' }
  await addAttempts(stand, [
    { ...odd, account_id: 1, times: 3 },
    { ...odd, account_id: 2, times: 2, atMs: atMs + 1000 },
    { ...odd, account_id: 3, times: 9, error_code: '' },
    // Too long ago, answered, or hung up.
    { ...odd, account_id: 3, times: 4, atMs: atMs - 48 * 3_600_000 },
    { ...odd, account_id: 3, times: 5, outcome: 'answer' },
    { ...odd, account_id: 3, times: 6, outcome: 'aborted' },
    { ...odd, account_id: 3, times: 7, outcome: 'failing', http_status: 0, error_type: 'ECONNREFUSED' },
  ])
  const tried = await run('try', { input: rule })
  expect(tried).toMatchObject({
    since: new Date(stand.clock.atMs - 24 * 3_600_000).toISOString(),
    attempts: 14,
    touchedAttempts: 5,
    touchedAccounts: [{ name: 'a' }, { name: 'b' }],
    sample: null,
  })
  expect(tried.failures).toEqual([
    {
      platform: 'CONSOLE',
      status: '400',
      errorType: 'invalid_request_error',
      code: 'quota',
      outcome: 'CALLER',
      attempts: 5,
      lastAt: new Date(atMs + 1000).toISOString(),
      match: 'YES',
      accounts: [{ name: 'a' }, { name: 'b' }],
      today: [{ name: "the request's own fault (400)", isRule: false, effect: 'PASS' }],
      withRule: [{ name: 'quota', isRule: true, effect: 'RATE_LIMIT', scope: 'ACCOUNT', durationSeconds: 60 }],
    },
    expect.objectContaining({ code: null, attempts: 9, match: 'NO' }),
  ])
  expect((await run('try', { input: { ...rule, hours: 168 } })).touchedAttempts).toBe(9)
  expect((await run('try', { input: { ...rule, platform: 'CLAUDE' } })).touchedAttempts).toBe(0)
  expect((await run('try', { input: { ...rule, name: undefined, message: 'Your plan*' } })).failures[0].match).toBe(
    'MAYBE',
  )
  // Nothing of it is a rule now.
  expect(await list()).toEqual([])
})

test('a sample is tried by its text; neither the answer nor the audit log has anything of it', async () => {
  const { stand, run } = await startRules()
  const body = JSON.stringify({ type: 'error', error: { type: 'odd', message: 'Your plan is CANARY over' } })
  const input = {
    name: 'text',
    status: '400',
    message: 'Your plan*',
    effect: 'OUT_OF_CREDIT',
    sample: { status: '400', body },
  }
  const result = await run('try', { input })
  expect(result.sample).toEqual({
    errorType: 'odd',
    code: null,
    matches: true,
    today: { name: 'anything else', effect: 'COOL_DOWN' },
    withRule: { name: 'text', effect: 'OUT_OF_CREDIT' },
  })
  expect((await run('try', { input: { ...input, sample: { status: 'event', body } } })).sample.matches).toBe(false)
  const { after } = await stand.client.apiLog.findFirstOrThrow({ where: { action: 'testErrorRule' } })
  expect(JSON.parse(after)).toMatchObject({ status: '400', message: 'Your plan*', hours: 24 })
  expect([JSON.stringify(result), after, stand.lines.join('')].join('')).not.toContain('CANARY')
})

test('the bench refuses what could not be saved, and ranges and samples that cannot be, beside the field', async () => {
  const { run, paths } = await startRules()
  const { id } = (await run('create', { input: rule })).errorRule
  const tried = async (more: object) => {
    const result = await run('try', { input: { ...rule, name: 'new', ...more } })
    return result.__typename === 'InputFailure' ? paths(result) : result.__typename
  }
  expect(await tried({ code: null })).toEqual(['code'])
  expect(await tried({ name: 'quota' })).toEqual(['name'])
  expect(await tried({ name: 'quota', id })).toBe('TestErrorRuleSuccess')
  expect(await tried({ hours: 169 })).toEqual(['hours'])
  expect(await tried({ sample: { status: '600', body: '' } })).toEqual(['sample.status'])
  expect(await tried({ sample: { status: '200', body: '' } })).toBe('TestErrorRuleSuccess')
  expect(await tried({ sample: { status: '400', body: 'x'.repeat(100_001) } })).toEqual(['sample.body'])
})
