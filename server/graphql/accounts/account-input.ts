import { z } from 'zod'
import { vendorUrls } from '../../accounts/account.ts'
import { modelPatterns, objectName, planName, proxyUrl, upstreamSecret, upstreamUrl } from '../../field-values.ts'
import { builder } from '../builder.ts'
import { fits, globalId, tooMuch, unlessAbsent } from '../values.ts'
import { AuthHeader, Platform } from './accounts.ts'
import { ClaudeLoginInput, claudeLogin } from './claude-login.ts'

const ModelMappingInput = builder.inputType('ModelMappingInput', {
  description: 'Requests for a model are sent under another name.',
  fields: (t) => ({
    from: t.string({ description: 'The model as clients ask for it, or a pattern with *; each once.', required: true }),
    to: t.string({ description: 'The name under which it is sent, without *.', required: true }),
  }),
})

/** Only platforms that the relay can speak to can be had; the others are named by the contract already. */
export const platform = z
  .enum(['claude', 'console', 'openai', 'codex'])
  .refine((name) => name === 'console' || name === 'claude', 'is not supported yet')

const mapping = z
  .array(
    z.object({
      from: z
        .string()
        .regex(
          /^(?!\d+$)[\x21-\x7e]{1,191}$/,
          'must be the name of a model or a pattern with *, without spaces, not digits only',
        ),
      to: z.string().regex(/^[\x21-\x29\x2b-\x7e]{1,191}$/, 'must be the name of a model, without * and spaces'),
    }),
  )
  .max(200, 'has too many entries')
  .refine((pairs) => new Set(pairs.map(({ from }) => from)).size === pairs.length, 'names a model twice')
  .transform((pairs) => Object.fromEntries(pairs.map(({ from, to }) => [from, to])))
  .refine(fits, tooMuch)

const fields = {
  name: objectName,
  platform,
  url: upstreamUrl,
  authHeader: z.enum(['bearer', 'x-api-key']),
  secret: upstreamSecret,
  groupId: globalId('Group'),
  priority: z.int().min(0, 'must be at least 0').max(10_000, 'must be at most 10000'),
  weight: z.int().min(1, 'must be at least 1').max(10_000, 'must be at most 10000'),
  concurrency: z.int().min(1, 'must be at least 1').max(10_000, 'must be at most 10000'),
  models: modelPatterns.max(200, 'has too many entries').refine(fits, tooMuch),
  modelMapping: mapping,
  proxy: proxyUrl,
  plan: planName,
  enabled: z.boolean(),
}

/** What opens an account: a secret, or on a platform with logins a login; never both. */
export function checkOpening(
  { platform, secret, login }: { platform: string; secret?: unknown; login?: unknown },
  refuse: (path: string, message: string) => void,
): void {
  if (login === undefined) return
  if (platform !== 'claude') refuse('login', 'is for accounts of the platform CLAUDE')
  if (secret !== undefined) refuse('secret', 'cannot stand beside a login')
}

/** Absent and null both mean the value a new object begins with. */
const or = <Value extends z.ZodType>(value: Value, fallback: z.output<Value>) =>
  value.nullish().transform((one) => one ?? fallback)

export const CreateAccountInput = builder.inputType('CreateAccountInput', {
  description: 'A new account. It is owned by who makes it.',
  fields: (t) => ({
    name: t.string({ description: 'Unique among accounts; 1 to 100 characters.', required: true }),
    platform: t.field({
      description: 'CLAUDE or CONSOLE; the others are not served yet.',
      type: Platform,
      required: true,
    }),
    url: t.string({ description: 'What ANTHROPIC_BASE_URL would be. CLAUDE: may be left out.' }),
    authHeader: t.field({ description: 'Absent: BEARER.', type: AuthHeader }),
    secret: t.string({ description: 'Sealed; never shown again.' }),
    login: t.field({ type: ClaudeLoginInput, description: 'CLAUDE: in place of a secret.' }),
    plan: t.string({ description: 'What the subscription is called; for people.' }),
    groupId: t.id({ description: 'A group of yours.', required: true }),
    priority: t.int({ description: '0 to 10000, smaller first; absent: 100.' }),
    weight: t.int({ description: '1 to 10000, the share among accounts of one priority; absent: 100.' }),
    concurrency: t.int({ description: 'Requests at once; absent: no limit.' }),
    models: t.stringList({ description: 'Names or patterns with *, at most 200; absent: all models.' }),
    modelMapping: t.field({
      description: 'The first that fits wins, at most 200; absent: models are sent as they are asked for.',
      type: [ModelMappingInput],
    }),
    proxy: t.string({
      description:
        'http, https, socks5 or socks5h, with user:password@ if needed. null: what UPSTREAM_PROXY says; none: a direct connection.',
    }),
    enabled: t.boolean({ description: 'Absent: true.' }),
  }),
})

export const createAccountCheck = z.object({
  input: z
    .object({
      ...fields,
      url: fields.url.nullish().transform((url) => url ?? undefined),
      secret: fields.secret.nullish().transform((secret) => secret ?? undefined),
      login: claudeLogin.nullish().transform((login) => login ?? undefined),
      plan: fields.plan.nullish().transform((plan) => plan ?? undefined),
      authHeader: or(fields.authHeader, 'bearer'),
      priority: or(fields.priority, 100),
      weight: or(fields.weight, 100),
      concurrency: fields.concurrency.nullish().transform((places) => places ?? null),
      models: or(fields.models, ['*']),
      modelMapping: or(fields.modelMapping, {}),
      proxy: fields.proxy.nullish().transform((text) => text ?? null),
      enabled: or(fields.enabled, true),
    })
    .transform((input, check) => {
      const refuse = (path: string, message: string) => check.addIssue({ code: 'custom', path: [path], message })
      const url = input.url ?? vendorUrls[input.platform]
      if (url === undefined) refuse('url', 'is missing')
      if (input.secret === undefined && input.login === undefined) {
        refuse(input.platform === 'claude' ? 'login' : 'secret', 'is missing')
      }
      checkOpening(input, refuse)
      return { ...input, url: url ?? '' }
    }),
})

export const UpdateAccountInput = builder.inputType('UpdateAccountInput', {
  description: 'Fields that are absent stay as they are. A fresh secret or login clears the state.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({ description: 'Unique among accounts; 1 to 100 characters.' }),
    platform: t.field({
      description:
        'CLAUDE or CONSOLE; the others are not served yet. With another one the secret or login must be given again.',
      type: Platform,
    }),
    url: t.string({ description: 'With another address the secret must be given again.' }),
    authHeader: t.field({ description: 'CONSOLE: the header that carries the secret.', type: AuthHeader }),
    secret: t.string({ description: 'In place of the old one. Sealed; never shown again.' }),
    login: t.field({ type: ClaudeLoginInput, description: 'CLAUDE: a fresh login in place of the old one.' }),
    plan: t.string({ description: "What the subscription is called; '' clears." }),
    groupId: t.id({ description: 'A group of yours.' }),
    priority: t.int({ description: '0 to 10000, smaller first.' }),
    weight: t.int({ description: '1 to 10000, the share among accounts of one priority.' }),
    concurrency: t.int({ description: 'null: no limit.' }),
    models: t.stringList({ description: '["*"] allows every model.' }),
    modelMapping: t.field({ description: 'In place of the old ones; [] clears.', type: [ModelMappingInput] }),
    proxy: t.string({
      description:
        'null: what UPSTREAM_PROXY says; none: a direct connection. Another one of an http:// address can read the secret, which must be given again.',
    }),
    enabled: t.boolean({ description: 'The manual switch.' }),
  }),
})

export const updateAccountCheck = z.object({
  input: z.object({
    id: globalId('Account'),
    name: unlessAbsent(fields.name),
    platform: unlessAbsent(fields.platform),
    url: unlessAbsent(fields.url),
    authHeader: unlessAbsent(fields.authHeader),
    secret: unlessAbsent(fields.secret),
    login: unlessAbsent(claudeLogin),
    plan: unlessAbsent(fields.plan),
    groupId: unlessAbsent(fields.groupId),
    priority: unlessAbsent(fields.priority),
    weight: unlessAbsent(fields.weight),
    concurrency: fields.concurrency.nullish(),
    models: unlessAbsent(fields.models),
    modelMapping: unlessAbsent(fields.modelMapping),
    proxy: fields.proxy.nullish(),
    enabled: unlessAbsent(fields.enabled),
  }),
})
