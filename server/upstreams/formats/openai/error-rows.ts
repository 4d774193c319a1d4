import type { ClassificationRow } from '../../classification.ts'
import { anthropicErrorRows } from '../anthropic/error-rows.ts'

const outOfCredit = {
  kind: 'refused',
  state: 'out_of_credit',
  scope: 'account',
  misconfigured: true,
  keepsText: true,
} as const

/** What errors of OpenAI's formats mean where they differ from what all upstreams say. */
export const openaiErrorRows: readonly ClassificationRow[] = [
  { name: 'prompt too long', code: 'context_length_exceeded', means: { kind: 'caller' } },
  { name: 'prompt too long (400)', status: 400, message: /maximum context length/i, means: { kind: 'caller' } },
  { name: 'spend limit reached', code: /^(billing_hard_limit_reached|billing_not_active)$/, means: outOfCredit },
  {
    name: 'plan used up',
    type: /^usage_limit_reached$/,
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'response' },
  },
  { name: 'plan without this API', code: 'usage_not_included', means: outOfCredit },
  {
    name: 'organisation to be verified',
    status: 403,
    code: 'unsupported_country_region_territory',
    means: { kind: 'refused', state: 'cooling_down', scope: 'account', misconfigured: true },
  },
  // Encrypted reasoning is good for the organisation that wrote it: another account may read it.
  {
    name: 'reasoning of another account',
    status: 400,
    code: 'invalid_encrypted_content',
    means: { kind: 'refused', passIfLast: true },
  },
  {
    name: 'model unknown (404)',
    status: 404,
    message: /\bmodels?\b/i,
    means: { kind: 'refused', passIfLast: true },
  },
  ...anthropicErrorRows,
]
