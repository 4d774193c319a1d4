import { expect, test } from 'vitest'
import { startGraphqlStand } from './stand.ts'

test('a range that is too long for its interval is refused by a sentence that says what is right', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const problem = async (groupBy: string, from: string, to: string, first = 10) => {
    const { errors } = await stand.ask(
      `query ($range: RangeInput!, $first: Int) { usage(range: $range, groupBy: [${groupBy}], first: $first) { rows { key } } }`,
      { range: { from, to }, first },
      { token },
    )
    const { code, field } = (errors?.[0]?.extensions ?? {}) as { code?: string; field?: string }
    return { message: errors?.[0]?.message, code, field }
  }
  expect(await problem('HOUR', '2026-01-01T00:00:00Z', '2027-02-05T00:00:00Z')).toEqual({
    message: 'A range by HOUR has at most 31 days; this one has 400. Group by DAY, or shorten the range.',
    code: 'BAD_USER_INPUT',
    field: 'range',
  })
  expect((await problem('DAY', '2020-01-01T00:00:00Z', '2024-02-05T00:00:00Z')).message).toContain('WEEK or MONTH')
  expect((await problem('DAY', '2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z')).message).toBe(
    '`to` must be after `from`.',
  )
  expect((await problem('HOUR, KEY', '2026-01-01T00:00:00Z', '2026-01-31T00:00:00Z', 100)).code).toBe(
    'QUERY_TOO_COMPLEX',
  )
  expect((await problem('HOUR, DAY', '2026-01-01T00:00:00Z', '2026-01-31T00:00:00Z')).code).toBe('BAD_USER_INPUT')
  expect(await problem('HOUR', '2026-01-01T00:00:00Z', '2026-01-31T00:00:00Z')).toEqual({})
})
