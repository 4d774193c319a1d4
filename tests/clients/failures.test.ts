import { describe, expect, test } from 'vitest'
import { errorFirst, htmlPage, refusal, resetBeforeHeaders } from '../support/fake-scripts.ts'
import type { Script } from '../support/fake-upstream.ts'
import { isMain, newest, withDesk } from './claude-code.ts'

// Every kind of failure of design.md §3, before anything was answered: Claude Code must not notice it.

const prompt = 'Please say the three words.'
const answer = 'word 0 你好 🙂 word 1 你好 🙂 word 2 你好 🙂'

const html =
  (status: number): Script =>
  (exchange) =>
    exchange.respond(status, { 'content-type': 'text/html' }, `<!doctype html><title>${status}</title><h1>Error</h1>`)

const usedUp = {
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  'anthropic-ratelimit-unified-reset': String(Math.floor(Date.now() / 1000) + 3600),
  'retry-after': '3600',
}

const failures: [what: string, script: Script][] = [
  ['401', refusal(401, 'authentication_error', 'invalid x-api-key')],
  ['402', refusal(402, 'billing_error', 'Your credit balance is too low to access the API.')],
  ['403 with a page of HTML', html(403)],
  ['403 with JSON', refusal(403, 'forbidden', 'Request not allowed')],
  ['404 with a page of HTML', html(404)],
  ['429 that says rejected', refusal(429, 'rate_limit_error', 'You have hit your limit.', usedUp)],
  ['429 without words', (exchange) => exchange.respond(429, {}, '')],
  ['500', refusal(500, 'api_error', 'Internal server error')],
  ['502 with a page of HTML', html(502)],
  ['529', refusal(529, 'overloaded_error', 'Overloaded')],
  ['200 with a page of HTML', htmlPage],
  ['200 with nothing', (exchange) => exchange.respond(200, { 'content-type': 'text/event-stream' }, '')],
  ['an error event first', errorFirst()],
  ['a reset', resetBeforeHeaders],
]

describe.each([newest, '2.0.76'] as const)('Claude Code %s is answered when the first account', (version) => {
  test.each(failures)('answers with %s', (_what, script) =>
    withDesk({ upstreams: 2 }, async ({ claude, upstreams, relay }) => {
      const [first, second] = upstreams
      first!.scriptWhen(() => true, script)
      const ran = await claude(prompt, { version })
      expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
      expect(ran.stdout + ran.stderr).not.toMatch(/log ?in|API Error|credit|limit/i)
      expect(first!.requests.length).toBeGreaterThan(0)
      const [main] = second!.requests.filter((request) => isMain(request, prompt))
      const [refused] = first!.requests.filter((request) => isMain(request, prompt))
      // 2.0.76 asks three things at once: the first account may be out before the prompt comes.
      if (refused) expect(main!.body.equals(refused.body)).toBe(true)
      const rows = await relay.rows()
      expect(rows.filter(({ outcome }) => outcome === 'completed').length).toBeGreaterThan(0)
      // What that version leaves by itself is no error.
      expect(rows.filter(({ outcome }) => outcome !== 'completed' && outcome !== 'aborted')).toEqual([])
    }),
  )

  test('refuses the connection', () =>
    withDesk({ upstreams: 2, account: (index) => (index === 0 ? { url: 'http://127.0.0.1:9' } : {}) }, async (desk) => {
      const ran = await desk.claude(prompt, { version })
      expect(ran).toMatchObject({ code: 0, stdout: `${answer} \n` })
      expect(ran.stdout + ran.stderr).not.toMatch(/log ?in|API Error/i)
      const attempts = await desk.relay.attempts()
      expect(attempts.some(({ outcome }) => outcome !== 'answer')).toBe(true)
    }))
})
