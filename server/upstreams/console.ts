import type { Upstream } from './upstream.ts'
import { anthropicVerdicts, judgeAnswer, judgeEventBy } from './verdicts.ts'

/** Any Anthropic-format endpoint behind a key of its own: the vendor's API, or a mirror of it. */
export const consoleUpstream: Upstream = {
  address: (account, path, query) => `${account.basePath}${path}${query}`,

  isFirstParty: (account) => /^https:\/\/([a-z0-9-]+\.)*anthropic\.com$/.test(account.origin),

  judge: (refusal, model, nowMs) => judgeAnswer(anthropicVerdicts, refusal, model, nowMs),

  judgeEvent: (errorType, model, nowMs) => judgeEventBy(anthropicVerdicts, errorType, model, nowMs),
}
