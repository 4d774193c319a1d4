import { z } from 'zod'
import { vendorUrls } from '../../accounts/account.ts'
import { accountFields, mappedPattern, maxGroups } from '../../accounts/account-input.ts'
import { maxExtraHeaders } from '../../accounts/extra-headers.ts'
import { type FieldProblemCode, says } from '../../failure-codes.ts'
import { fitsColumn, modelName } from '../../field-values.ts'
import { platformNamed } from '../../upstreams/platforms/platforms.ts'
import { builder } from '../builder.ts'
import { globalId, orElse, unlessAbsent } from '../values.ts'
import { AccountLoginInput, accountLogin } from './account-login-input.ts'
import { AuthHeader, Platform } from './accounts.ts'
import { FormatFlagsInput, formatFlags } from './format-flags.ts'

const ModelMappingInput = builder.inputType('ModelMappingInput', {
  description: 'Requests for a model are sent under another name.',
  fields: (t) => ({
    from: t.string({ description: 'The model as clients ask for it, or a pattern with *; each once.', required: true }),
    to: t.string({ description: 'The name under which it is sent, without *.', required: true }),
  }),
})

const mapping = z
  .array(z.object({ from: mappedPattern, to: modelName }))
  .max(200, says('TOO_MANY_ENTRIES'))
  .refine((pairs) => new Set(pairs.map(({ from }) => from)).size === pairs.length, says('MODEL_TWICE'))
  .transform((pairs) => Object.fromEntries(pairs.map(({ from, to }) => [from, to])))
  .refine(fitsColumn, says('TOO_LONG_ALTOGETHER'))

const ExtraHeaderInput = builder.inputType('ExtraHeaderInput', {
  description: 'A header that goes up with every request, in place of the client’s own of that name.',
  fields: (t) => ({
    name: t.string({
      description: 'Letters, digits and -; not one that says who asks, such as authorization, user-agent or cookie.',
      required: true,
    }),
    value: t.string({ description: 'Sealed and never shown again.', required: true }),
  }),
})

const MaxUtilizationInput = builder.inputType('MaxUtilizationInput', {
  description: 'From which share of a limit an account takes no new sessions.',
  fields: (t) => ({
    window: t.string({ description: 'The window as `limitGauges` names it, such as 5h or 7d.', required: true }),
    share: t.float({ description: 'The share is from 0.01 to 1.', required: true }),
  }),
})

const headerList = z
  .array(z.object({ name: z.string(), value: z.string() }))
  .max(maxExtraHeaders, says('TOO_MANY_ENTRIES'))
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, says('HEADER_TWICE'))
  .transform((list) => Object.fromEntries(list.map(({ name, value }) => [name, value])))
  .pipe(accountFields.extraHeaders)

const utilizationList = z
  .array(z.object({ window: z.string(), share: z.number() }))
  .max(32, says('TOO_MANY_ENTRIES'))
  .refine((list) => new Set(list.map(({ window }) => window)).size === list.length, says('WINDOW_TWICE'))
  .transform((list) => Object.fromEntries(list.map(({ window, share }) => [window, share])))
  .pipe(accountFields.maxUtilization)

const groupIds = z
  .array(globalId('Group'))
  .min(1, says('GROUP_MISSING'))
  .max(maxGroups, says('TOO_MANY_ENTRIES'))
  .transform((ids) => [...new Set(ids)].sort((one, other) => one - other))

/** As GraphQL gives them: groups by their ids, the mapping as a list. */
const { secret, concurrency, flags: _flags, ...unnamed } = accountFields
const fields = {
  formatFlags,
  ...unnamed,
  upstreamApiKey: secret,
  concurrencyLimit: concurrency,
  groupIds,
  modelMapping: mapping,
  extraHeaders: headerList,
  maxUtilization: utilizationList,
}

/** What opens an account: a key of the upstream, or on a platform with logins a login; never both. */
export function checkOpening(
  { platform, secret, login }: { platform: string; secret?: unknown; login?: unknown },
  refuse: (path: string, code: FieldProblemCode) => void,
): void {
  if (login === undefined) return
  if (platformNamed(platform)?.opensWith !== 'login') refuse('login', 'LOGIN_NOT_FOR_PLATFORM')
  if (secret !== undefined) refuse('upstreamApiKey', 'BESIDE_LOGIN')
}

export const CreateAccountInput = builder.inputType('CreateAccountInput', {
  description: 'A new account. It is owned by who makes it.',
  fields: (t) => ({
    name: t.string({ description: 'Unique among accounts; 1 to 100 characters.', required: true }),
    platform: t.field({
      description: 'It cannot serve requests of a format that its own cannot express.',
      type: Platform,
      required: true,
    }),
    url: t.string({
      description: 'What ANTHROPIC_BASE_URL or OPENAI_BASE_URL would be. CLAUDE: may be left out.',
    }),
    authHeader: t.field({ description: 'Absent: BEARER.', type: AuthHeader }),
    upstreamApiKey: t.string({ description: 'The API key of the upstream. It is sealed and never shown again.' }),
    login: t.field({ type: AccountLoginInput, description: 'CLAUDE: a login in place of a key.' }),
    plan: t.string({ description: 'What the subscription is called; for people.' }),
    groupIds: t.idList({ description: 'Groups of yours, at least one.', required: true }),
    priority: t.int({
      description: 'Accounts with smaller numbers, from 0 to 10000, come first. It is 100 when absent.',
    }),
    weight: t.int({ description: 'The share among accounts of one priority is 1 to 10000. It is 100 when absent.' }),
    concurrencyLimit: t.int({ description: 'How many requests may run at once; no limit when absent.' }),
    models: t.stringList({ description: 'Names or patterns with *, at most 200; absent: all models.' }),
    modelMapping: t.field({
      description: 'The first that fits wins, at most 200; absent: models are sent as they are asked for.',
      type: [ModelMappingInput],
    }),
    formatFlags: t.field({
      description: 'OPENAI and CODEX: what the upstream takes of translated requests; absent: the defaults.',
      type: FormatFlagsInput,
    }),
    proxy: t.string({
      description:
        'The URL is http, https, socks5 or socks5h, with user:password@ if needed. With null UPSTREAM_PROXY decides, and `none` is a direct connection.',
    }),
    connectTimeoutSeconds: t.int({ description: 'It is from 1 to 300, with TLS and proxy. Absent means 10.' }),
    firstByteTimeoutSeconds: t.int({
      description: 'It is from 1 to 3600. Absent means 120 for streams, and for others what the client says or 600.',
    }),
    idleTimeoutSeconds: t.int({
      description: 'The longest silence within a response, from 1 to 3600. Absent means 240.',
    }),
    extraHeaders: t.field({ description: 'At most 20; absent: none.', type: [ExtraHeaderInput] }),
    maxUtilization: t.field({ description: 'Each window once; absent: no bounds.', type: [MaxUtilizationInput] }),
    enabled: t.boolean({ description: 'Absent: true.' }),
  }),
})

export const createAccountCheck = z
  .object({
    ...fields,
    url: orElse(fields.url, undefined),
    upstreamApiKey: orElse(fields.upstreamApiKey, undefined),
    login: orElse(accountLogin, undefined),
    plan: orElse(fields.plan, undefined),
    authHeader: orElse(fields.authHeader, 'bearer' as const),
    priority: orElse(fields.priority, 100),
    weight: orElse(fields.weight, 100),
    concurrencyLimit: orElse(fields.concurrencyLimit, null),
    models: orElse(fields.models, ['*']),
    modelMapping: orElse(fields.modelMapping, {}),
    formatFlags: orElse(fields.formatFlags, undefined),
    proxy: orElse(fields.proxy, null),
    connectTimeoutSeconds: orElse(fields.connectTimeoutSeconds, null),
    firstByteTimeoutSeconds: orElse(fields.firstByteTimeoutSeconds, null),
    idleTimeoutSeconds: orElse(fields.idleTimeoutSeconds, null),
    extraHeaders: orElse(fields.extraHeaders, {}),
    maxUtilization: orElse(fields.maxUtilization, {}),
    enabled: orElse(fields.enabled, true),
  })
  .transform(({ upstreamApiKey, concurrencyLimit, formatFlags: flags, ...rest }, check) => {
    const input = { ...rest, secret: upstreamApiKey, concurrency: concurrencyLimit, ...(flags && { flags }) }
    const refuse = (path: string, message: FieldProblemCode) =>
      check.addIssue({ code: 'custom', path: [path], message })
    const url = input.url ?? vendorUrls[input.platform]
    if (url === undefined) refuse('url', 'MISSING')
    if (input.secret === undefined && input.login === undefined) {
      refuse(platformNamed(input.platform)?.opensWith === 'login' ? 'login' : 'upstreamApiKey', 'MISSING')
    }
    checkOpening(input, refuse)
    return { ...input, url: url ?? '' }
  })

export const UpdateAccountInput = builder.inputType('UpdateAccountInput', {
  description: 'Fields that are absent stay as they are. A fresh secret or login clears the state.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({ description: 'Unique among accounts; 1 to 100 characters.' }),
    platform: t.field({
      description: 'With another one the secret or login must be given again.',
      type: Platform,
    }),
    url: t.string({ description: 'With another address the secret must be given again.' }),
    authHeader: t.field({ description: 'The header that carries the secret; not for CLAUDE.', type: AuthHeader }),
    upstreamApiKey: t.string({
      description: 'An API key in place of the old one. It is sealed and never shown again.',
    }),
    login: t.field({ type: AccountLoginInput, description: 'CLAUDE: a fresh login in place of the old one.' }),
    plan: t.string({ description: 'What the subscription is called; null clears.' }),
    groupIds: t.idList({
      description: 'All groups that it serves from now on, at least one: those that are new must be groups of yours.',
    }),
    priority: t.int({ description: 'Accounts with smaller numbers, from 0 to 10000, come first.' }),
    weight: t.int({ description: 'The share among accounts of one priority is 1 to 10000.' }),
    concurrencyLimit: t.int({ description: 'How many requests may run at once; null for no limit.' }),
    models: t.stringList({ description: 'The list ["*"] allows every model.' }),
    modelMapping: t.field({ description: 'In place of the old ones; [] clears.', type: [ModelMappingInput] }),
    formatFlags: t.field({
      description: 'In place of the old ones, of those learnt from refusals too; {} brings the defaults back.',
      type: FormatFlagsInput,
    }),
    proxy: t.string({
      description:
        'With null UPSTREAM_PROXY decides, and `none` is a direct connection. Another proxy of an http:// address can read the secret, which must be given again.',
    }),
    connectTimeoutSeconds: t.int({ description: 'It is from 1 to 300. null means 10.' }),
    firstByteTimeoutSeconds: t.int({
      description: 'It is from 1 to 3600. null means 120 for streams, and for others what the client says or 600.',
    }),
    idleTimeoutSeconds: t.int({ description: 'It is from 1 to 3600. null means 240.' }),
    extraHeaders: t.field({
      description: 'In place of the old ones; [] clears. With another url the old ones are forgotten.',
      type: [ExtraHeaderInput],
    }),
    maxUtilization: t.field({ description: 'In place of the old ones; [] clears.', type: [MaxUtilizationInput] }),
    enabled: t.boolean({ description: 'The manual switch.' }),
  }),
})

export const updateAccountCheck = z
  .object({
    id: globalId('Account'),
    name: unlessAbsent(fields.name),
    platform: unlessAbsent(fields.platform),
    url: unlessAbsent(fields.url),
    authHeader: unlessAbsent(fields.authHeader),
    upstreamApiKey: unlessAbsent(fields.upstreamApiKey),
    login: unlessAbsent(accountLogin),
    plan: fields.plan.nullish().transform((text) => (text === null ? '' : text)),
    groupIds: unlessAbsent(fields.groupIds),
    priority: unlessAbsent(fields.priority),
    weight: unlessAbsent(fields.weight),
    concurrencyLimit: fields.concurrencyLimit.nullish(),
    models: unlessAbsent(fields.models),
    modelMapping: unlessAbsent(fields.modelMapping),
    formatFlags: unlessAbsent(fields.formatFlags),
    proxy: fields.proxy.nullish(),
    connectTimeoutSeconds: fields.connectTimeoutSeconds.nullish(),
    firstByteTimeoutSeconds: fields.firstByteTimeoutSeconds.nullish(),
    idleTimeoutSeconds: fields.idleTimeoutSeconds.nullish(),
    extraHeaders: unlessAbsent(fields.extraHeaders),
    maxUtilization: unlessAbsent(fields.maxUtilization),
    enabled: unlessAbsent(fields.enabled),
  })
  .transform(({ upstreamApiKey, concurrencyLimit, formatFlags: flags, ...rest }) => ({
    ...rest,
    secret: upstreamApiKey,
    concurrency: concurrencyLimit,
    flags,
  }))
