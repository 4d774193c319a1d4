import { anthropicVerdicts } from '../../classify.ts'
import type { Dialect } from '../../platform.ts'

/** Any Anthropic-format endpoint behind a key of its own: the vendor's API, or a mirror of it. */
export const consoleUpstream: Dialect = {
  address: (account, path, query) => `${account.basePath}${path}${query}`,

  isFirstParty: (account) => /^https:\/\/([a-z0-9-]+\.)*anthropic\.com$/.test(account.origin),

  verdicts: anthropicVerdicts,
}
