import type { ClassificationRow } from '../../classification.ts'
import { accountFaultRows, loginLostRows } from '../../rules/account-faults.ts'

/** An overloaded provider is overloaded for all: its accounts pause for seconds, not more. */
const overloadPauseMs = 3000
const modelPauseMs = 300_000

const pass = { kind: 'caller' } as const
const nextOrPass = { kind: 'refused', passIfLast: true } as const
const failing = { kind: 'failing', state: 'cooling_down', scope: 'account' } as const
/** The request itself may be odd: the account is to blame once another one has served it. */
const failingIfServedElsewhere = { ...failing, ifServedElsewhere: true } as const

/** What errors of Anthropic's own API, and of what speaks like it, mean (design.md §3; protocol.md §1.7, §1.8). */
export const anthropicErrorRows: readonly ClassificationRow[] = [
  ...accountFaultRows,
  { name: 'not a member any more', status: 400, code: 'claude_code_key_creator_not_member', means: nextOrPass },
  {
    name: 'codes of the request',
    status: 400,
    code: /^(thread_|claude_code_version_too_old|image_dimensions)/,
    means: pass,
  },
  {
    name: 'model unknown (400)',
    status: 400,
    message:
      /\bmodel\b.{0,100}\b(not found|not exist|unknown|not supported|unsupported|invalid)\b|\b(unknown|unsupported|invalid) model\b/i,
    means: nextOrPass,
  },
  { name: 'thread unknown', status: 404, code: /^thread_/, means: pass },
  { name: 'model unknown (404)', status: 404, type: 'not_found_error', means: nextOrPass },
  ...[400, 404, 409, 413, 422].map(
    (status): ClassificationRow => ({
      name: `the request's own fault (${status})`,
      status,
      blamesRequest: true,
      means: pass,
    }),
  ),
  { name: 'too large for this upstream', status: 413, means: { ...failingIfServedElsewhere, tooLarge: true } },
  {
    name: 'login refused',
    status: 401,
    means: { kind: 'refused', state: 'reauth_required', scope: 'account', misconfigured: true },
  },
  {
    name: 'payment required',
    status: 402,
    means: { kind: 'refused', state: 'out_of_credit', scope: 'account', misconfigured: true, until: 'date_said' },
  },
  ...loginLostRows,
  {
    name: 'model refused',
    status: 403,
    message: /\bmodels?\b|模型/i,
    means: {
      kind: 'refused',
      state: 'forbidden',
      scope: 'model',
      until: modelPauseMs,
      misconfigured: true,
    },
  },
  // A challenge page, a country, an address: it is about this account or about where we ask from, also when several say so.
  {
    name: 'refused',
    status: 403,
    means: { kind: 'refused', state: 'cooling_down', scope: 'account', misconfigured: true },
  },
  {
    name: 'window of the account used up',
    status: 429,
    limits: 'account',
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'window' },
  },
  {
    name: 'window of some models used up',
    status: 429,
    limits: 'family',
    means: { kind: 'limited', state: 'rate_limited', scope: 'family', until: 'window' },
  },
  {
    name: 'only this request is refused',
    status: 429,
    limits: 'request',
    means: { kind: 'refused', refusesRequest: true },
  },
  {
    name: 'limited',
    status: 429,
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'retry_after' },
  },
  { name: 'no compaction now', status: 529, code: 'compaction_unavailable', means: { kind: 'failing' } },
  {
    name: 'overloaded',
    status: 529,
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: overloadPauseMs },
  },
  {
    name: "customer's key out of reach",
    status: 503,
    code: 'cmek_key_unreachable',
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: 60_000 },
  },
  { name: 'server error', status: [500, 599], means: failing },
  { name: 'redirect', status: [300, 399], means: { ...failing, misconfigured: true } },
  // 201, 204 …: this API does not send them.
  { name: 'odd success', status: [200, 299], means: failing },
  {
    name: 'limited within the stream',
    status: 'event',
    type: 'rate_limit_error',
    means: { kind: 'limited', state: 'rate_limited', scope: 'account' },
  },
  {
    name: 'overloaded within the stream',
    status: 'event',
    type: 'overloaded_error',
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: overloadPauseMs },
  },
  {
    name: 'request refused within the stream',
    status: 'event',
    type: /^(invalid_request_error|not_found_error|request_too_large)$/,
    means: { kind: 'refused' },
  },
  { name: 'error within the stream', status: 'event', means: { ...failing, doubtful: true } },
  // Another shape, a page, or a status that says nothing of the request.
  { name: 'anything else', means: failingIfServedElsewhere },
]

/** A subscription throttles single requests without naming a limit: nobody has to wait. */
const throttled: ClassificationRow = { name: 'throttled', status: 429, limits: 'unsaid', means: { kind: 'limited' } }

/** The same for accounts that are subscriptions behind a login. */
export const subscriptionErrorRows: readonly ClassificationRow[] = anthropicErrorRows.flatMap((row) =>
  row.name === 'limited' ? [throttled, row] : [row],
)
