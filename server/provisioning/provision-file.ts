import { z } from 'zod'
import { accountFields, maxGroups, upstreamSecret } from '../accounts/account-input.ts'
import { groupFields } from '../accounts/group-input.ts'
import { type FieldProblemCode, says } from '../failure-codes.ts'
import { moment, readIssue } from '../field-values.ts'
import { userFields } from '../identity/user-input.ts'
import { keyFields } from '../keys/key-input.ts'
import { platformNamed } from '../upstreams/platforms/platforms.ts'
import { ruleFields } from '../upstreams/rules/rule-input.ts'

const admin = z
  .strictObject({
    username: userFields.username.meta({ description: 'Found by this name.' }),
    password: userFields.deploymentPassword.optional(),
    email: userFields.email.nullable().optional(),
  })
  .meta({ description: 'The administrator.' })

const group = z.strictObject({
  name: groupFields.name.meta({ description: 'Found by this name.' }),
  returnsToPriority: groupFields.returnsToPriority.optional().meta({
    description: 'Conversations return to accounts of a smaller priority number at their next user turn. New: true.',
  }),
  stripForeignReasoning: groupFields.stripForeignReasoning.optional().meta({
    description:
      'When a conversation has moved to another account, the reasoning that the earlier one signed is cut from its requests. New: false.',
  }),
  shared: groupFields.shared.optional().meta({ description: 'Everybody may put keys into it. New: false.' }),
  chargeFactor: groupFields.chargeFactor.optional().meta({
    description: 'Decimal text, 0 to 100: what costs are multiplied by to give what is billed. New: "1".',
  }),
})

const accountDraft = z.strictObject({
  name: accountFields.name.meta({ description: 'Found by this name.' }),
  platform: accountFields.platform.optional().meta({
    description:
      'console: any endpoint that speaks the Anthropic format. claude: a subscription of your own, behind a login. openai: any endpoint of Chat Completions. codex: any endpoint of Responses.',
  }),
  url: accountFields.url.optional().meta({
    description:
      'What ANTHROPIC_BASE_URL or OPENAI_BASE_URL would be, such as https://api.anthropic.com. claude: may be absent.',
  }),
  authHeader: accountFields.authHeader.optional().meta({ description: 'How the secret is sent. New: bearer.' }),
  secret: accountFields.secret
    .optional()
    .meta({ description: "The upstream's key. Stored sealed, never shown again." }),
  accessToken: upstreamSecret.optional().meta({
    description: 'claude: in place of a secret; also what `claude setup-token` prints. Used once: renewed tokens stay.',
  }),
  refreshToken: upstreamSecret.optional().meta({ description: 'claude: with accessToken; renews it.' }),
  expiresAt: moment.optional().meta({ description: 'claude: end of the accessToken, where it is known.' }),
  plan: accountFields.plan.optional().meta({ description: 'What the subscription is called, for people.' }),
  groups: z
    .array(groupFields.name)
    .min(1, says('GROUP_MISSING'))
    .max(maxGroups, says('TOO_MANY_ENTRIES'))
    .refine((names) => new Set(names).size === names.length, says('GROUP_TWICE'))
    .optional()
    .meta({ description: 'Names of the groups that it serves, in this file or made before.', uniqueItems: true }),
  priority: accountFields.priority.optional().meta({ description: 'Smaller first. New: 100.' }),
  weight: accountFields.weight.optional().meta({ description: 'Share among accounts of one priority. New: 100.' }),
  concurrency: accountFields.concurrency
    .nullable()
    .optional()
    .meta({ description: 'Requests at once, counted by each process. null: no limit.' }),
  models: accountFields.models.optional().meta({ description: 'Names or patterns with *. New: ["*"].' }),
  modelMapping: accountFields.modelMapping
    .optional()
    .meta({ description: 'Requested pattern → model sent; the first match wins.' }),
  flags: accountFields.flags.optional().meta({
    description: 'openai, codex: what the upstream takes of translated requests; in place of what was learnt.',
  }),
  connectTimeoutSeconds: accountFields.connectTimeoutSeconds
    .nullable()
    .optional()
    .meta({ description: 'With TLS and proxy. null: 10.' }),
  firstByteTimeoutSeconds: accountFields.firstByteTimeoutSeconds
    .nullable()
    .optional()
    .meta({ description: 'null: 120 for streams, for others what the client says or 600.' }),
  idleTimeoutSeconds: accountFields.idleTimeoutSeconds
    .nullable()
    .optional()
    .meta({ description: 'Silence within a response. null: 240.' }),
  extraHeaders: accountFields.extraHeaders
    .optional()
    .meta({ description: 'Name → value, in place of those of clients. Values are stored sealed, never shown again.' }),
  maxUtilization: accountFields.maxUtilization.optional().meta({
    description: 'Window of its limits (5h, 7d, …) → share, up to 1, from which it takes no new sessions.',
  }),
  proxy: accountFields.proxy
    .nullable()
    .optional()
    .meta({ description: 'null: what UPSTREAM_PROXY says. "none": a direct connection.' }),
})

const account = accountDraft.superRefine((given, check) => {
  const refuse = (path: string, message: FieldProblemCode) => check.addIssue({ code: 'custom', path: [path], message })
  const { platform, accessToken } = given
  if (accessToken === undefined) {
    for (const field of ['refreshToken', 'expiresAt'] as const) {
      if (given[field] !== undefined) refuse(field, 'WITHOUT_ACCESS_TOKEN')
    }
    return
  }
  if (platformNamed(platform ?? '')?.opensWith !== 'login') refuse('accessToken', 'LOGIN_NOT_FOR_PLATFORM')
  if (given.secret !== undefined) refuse('secret', 'BESIDE_ACCESS_TOKEN')
})

const key = z.strictObject({
  name: keyFields.name.meta({ description: 'Found by this name.' }),
  secret: keyFields.secret.optional().meta({ description: 'What a client sends. Only a keyed hash of it is stored.' }),
  group: groupFields.name.optional().meta({ description: 'The key uses the accounts of this group.' }),
  models: keyFields.models.optional().meta({ description: 'Names or patterns with *. New: ["*"].' }),
  allowedAddresses: keyFields.allowedAddresses
    .optional()
    .meta({ description: 'Addresses and networks (CIDR) that it may be used from. New: [], everywhere.' }),
  allowedClients: keyFields.allowedClients
    .optional()
    .meta({ description: 'Patterns with * that the user agent must fit. New: [], every program.' }),
  dailyLimitUsd: keyFields.limitUsd.nullable().optional().meta({ description: 'Decimal text in USD. null: no limit.' }),
  weeklyLimitUsd: keyFields.limitUsd
    .nullable()
    .optional()
    .meta({ description: 'Decimal text in USD. null: no limit.' }),
  monthlyLimitUsd: keyFields.limitUsd
    .nullable()
    .optional()
    .meta({ description: 'Decimal text in USD. null: no limit.' }),
  totalLimitUsd: keyFields.limitUsd.nullable().optional().meta({ description: 'Decimal text in USD. null: no limit.' }),
  rollingLimitUsd: keyFields.limitUsd
    .nullable()
    .optional()
    .meta({ description: 'Of the last `rollingHours`. Decimal text in USD. null: no limit.' }),
  rollingHours: keyFields.rollingHours.optional().meta({ description: 'New: 5.' }),
  requestsPerMinute: keyFields.requestsPerMinute.nullable().optional().meta({ description: 'null: no limit.' }),
  tokensPerMinute: keyFields.tokensPerMinute.nullable().optional().meta({ description: 'null: no limit.' }),
  concurrency: keyFields.concurrency.nullable().optional().meta({ description: 'Requests at once. null: no limit.' }),
  expiresAt: moment.nullable().optional().meta({ description: 'Date and time with a zone. null: never.' }),
})

const rule = z.strictObject({
  name: ruleFields.name.meta({ description: 'Found by this name.' }),
  platform: ruleFields.platform.nullable().optional().meta({ description: 'null: all of them. New: null.' }),
  enabled: ruleFields.enabled.optional().meta({ description: 'New: true.' }),
  status: ruleFields.status
    .nullable()
    .optional()
    .meta({ description: 'A status, a range, or event: an error event in a stream. null: any.' }),
  errorType: ruleFields.errorType.nullable().optional().meta({ description: 'With * for anything. null: any.' }),
  code: ruleFields.code.nullable().optional().meta({ description: 'With * for anything. null: any.' }),
  message: ruleFields.message
    .nullable()
    .optional()
    .meta({ description: 'What the whole text of the error has to fit, with * for anything. null: any.' }),
  effect: ruleFields.effect.optional().meta({
    description: 'pass: to the caller. next: the next account; none rests. Else what becomes of the account.',
  }),
  scope: ruleFields.scope.optional().meta({ description: 'With rate_limited: what rests. New: account.' }),
  durationSeconds: ruleFields.durationSeconds
    .nullable()
    .optional()
    .meta({ description: 'With rate_limited and out_of_credit. null: as the answer says.' }),
})

const provision = z.strictObject({
  $schema: z.string().optional().meta({ description: 'For editors.' }),
  admin: admin.optional(),
  groups: z.array(group).default([]),
  accounts: z.array(account).default([]),
  keys: z.array(key).default([]),
  rules: z.array(rule).max(100).default([]).meta({
    description: 'What answers of upstreams mean, asked before the built-in table, in this order.',
  }),
})

/**
 * A provisioning file, checked. A field that the file does not have is absent here too (not null): absent leaves the
 * stored value, null clears it. Amounts are decimal text in USD, exactly as written. `url` is trimmed to a base.
 */
export type Provision = Readonly<Omit<z.output<typeof provision>, '$schema'>>

/** `path` as in `accounts[2].url`; '' for the file as a whole. */
export interface ProvisionProblem {
  path: string
  problem: string
}

/** Every problem of the file at once; no message repeats a value. */
export class ProvisionError extends Error {
  readonly problems: readonly ProvisionProblem[]
  constructor(problems: readonly ProvisionProblem[]) {
    const lines = problems.map(({ path, problem }) => `  - ${path ? `${path}: ` : ''}${problem}`)
    super(`PROVISION_FILE: the provisioning file is wrong:\n${lines.join('\n')}`)
    this.name = 'ProvisionError'
    this.problems = problems
  }
}

/** Parses and checks the text of a provisioning file. Throws ProvisionError. */
export function readProvisionFile(text: string): Provision {
  const raw = parse(text)
  const checked = provision.safeParse(raw, { error: explain })
  const problems = [...(checked.error?.issues.flatMap(problemsOf) ?? []), ...repeatedIn(raw)]
  if (!checked.success || problems.length) throw new ProvisionError(problems)
  const { $schema: _, ...found } = checked.data
  return found
}

/** The format as a JSON Schema (2020-12), for editors: docs/provision.schema.json. */
export function provisionSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(provision, { io: 'input' })
  return { $schema, title: 'Provisioning file of Claude Code Relay', ...schema }
}

function parse(text: string): unknown {
  const clean = text.replace(/^\uFEFF/, '')
  try {
    return JSON.parse(clean)
  } catch (error) {
    throw new ProvisionError([{ path: '', problem: `not JSON${placeOf(error as SyntaxError, clean)}` }])
  }
}

/** Where the text stops being JSON, as far as the parser says. Its message is left out: it quotes the text. */
function placeOf({ message }: SyntaxError, text: string): string {
  const position = / at position (\d+)/.exec(message)?.[1]
  if (position === undefined) return ''
  const before = text.slice(0, Number(position)).split('\n')
  return `: line ${before.length}, column ${before.at(-1)!.length + 1}`
}

function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing'
    return `must be ${{ object: 'an object', array: 'a list', string: 'text', int: 'a whole number', number: 'a number' }[issue.expected as string] ?? issue.expected}`
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  const unit = issue.origin === 'string' ? ' characters' : ''
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${unit}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${unit}`
  return undefined
}

function problemsOf(issue: z.core.$ZodIssue): ProvisionProblem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => ({
      path: pathText([...issue.path, name]),
      problem: 'is not a field of this format',
    }))
  if (issue.code === 'invalid_key')
    return issue.issues.map((one) => ({ path: pathText(issue.path), problem: `the pattern ${readIssue(one).clause}` }))
  return [{ path: pathText(issue.path), problem: readIssue(issue).clause }]
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => {
    if (typeof part === 'number') return `[${part}]`
    return /^[A-Za-z_$][\w$]*$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(part)}]`
  })
  // Somebody may have put a key where a field's name belongs.
  return text
    .join('')
    .replace(/^\./, '')
    .replace(/sk-[\x21\x23-\x5c\x5e-\x7e]+/g, 'sk-…')
}

/** Names and key secrets that occur twice; looked for in the raw value, so that other problems do not hide them. */
function repeatedIn(raw: unknown): ProvisionProblem[] {
  const seenAs = (list: string, field: string) => {
    const items = isRecord(raw) && Array.isArray(raw[list]) ? (raw[list] as unknown[]) : []
    const first = new Map<unknown, number>()
    return items.flatMap((item, index) => {
      const value = isRecord(item) ? item[field] : undefined
      if (typeof value !== 'string') return []
      const before = first.get(value)
      if (before === undefined) first.set(value, index)
      return before === undefined
        ? []
        : [{ path: `${list}[${index}].${field}`, problem: `is the same as in ${list}[${before}]` }]
    })
  }
  return [
    ...seenAs('groups', 'name'),
    ...seenAs('accounts', 'name'),
    ...seenAs('keys', 'name'),
    ...seenAs('keys', 'secret'),
    ...seenAs('rules', 'name'),
  ]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
