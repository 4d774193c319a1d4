import { describe, expect, test } from 'vitest'
import { compressed, hangAfterEvents, refusal } from '../support/fake-scripts.ts'
import { newest, withDesk } from './claude-code.ts'

const prompt = 'Please say the three words.'
const answer = 'word 0 你好 🙂 word 1 你好 🙂 word 2 你好 🙂'

/** Long enough for a client to start and end; a client that waits for an account takes minutes. */
const soonMs = 20_000

describe.each([newest, '2.0.76'] as const)('Claude Code %s with a single account', (version) => {
  test('is told at once, in our words, that the account has to be mended', () =>
    withDesk({}, async ({ claude, upstream }) => {
      upstream.scriptWhen(() => true, refusal(401, 'authentication_error', 'invalid x-api-key'))
      const ran = await claude(prompt, { version })
      expect(ran.stdout).toContain('API Error')
      expect(ran.stdout).not.toMatch(/invalid x-api-key|Not logged in|run \/login/)
      expect(ran.durationMs).toBeLessThan(soonMs)
    }))

  test('client point 3: does not sleep through the hour that the account is limited for', () =>
    withDesk({}, async ({ claude, upstream }) => {
      const { requests } = upstream
      upstream.scriptWhen(() => true, refusal(429, 'rate_limit_error', 'limited', { 'retry-after': '3600' }))
      const ran = await claude(prompt, { version })
      expect(ran.code).not.toBeNull()
      expect(ran.stdout).toContain('API Error')
      expect(ran.durationMs).toBeLessThan(soonMs)
      // 2.0.76 asks three things at once.
      expect(requests.length).toBeLessThanOrEqual(3)
    }))
})

test('client point 17: a 400 of the upstream is shown as it came, and the account goes on', () =>
  withDesk({}, async ({ claude, upstream }) => {
    const take = upstream.scriptWhen(() => true, refusal(400, 'invalid_request_error', 'tools.3: this tool is too odd'))
    const refused = await claude(prompt)
    expect(refused.stdout).toContain('tools.3: this tool is too odd')
    take()
    expect(await claude(prompt)).toMatchObject({ code: 0, stdout: `${answer} \n` })
  }))

test.each(['gzip', 'br'] as const)('an answer that comes in %s although nobody asked is understood', (encoding) =>
  withDesk({}, async ({ claude, upstream }) => {
    upstream.scriptWhen(() => true, compressed(encoding))
    expect(await claude(prompt)).toMatchObject({ code: 0, stdout: `${answer} \n` })
    expect(upstream.requests.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity'])
  }),
)

test('client point 16: a client that is ended in the middle of its answer ends the upstream call, and its row says so', () =>
  withDesk({}, async ({ claude, upstream, relay }) => {
    upstream.scriptWhen(() => true, hangAfterEvents(4))
    const ran = await claude(prompt, { until: upstream.arrived(0) })
    expect(ran.code).toBeNull()
    expect(await upstream.requests[0]!.closed).toBe('aborted')
    expect(await relay.rows()).toEqual([expect.objectContaining({ outcome: 'aborted' })])
  }))
