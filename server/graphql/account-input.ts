import { z } from 'zod'
import { vendorUrls } from '../accounts/accounts.ts'
import { modelPatterns, objectName, planName, proxyUrl, upstreamSecret, upstreamUrl } from '../provision-values.ts'
import { AuthHeader, Platform } from './accounts.ts'
import { builder } from './builder.ts'
import { ClaudeLoginInput, claudeLogin } from './claude-login.ts'
import { globalId, unlessAbsent } from './values.ts'

const ModelMappingInput = builder.inputType('ModelMappingInput', {
  fields: (t) => ({ from: t.string({ required: true }), to: t.string({ required: true }) }),
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
  models: modelPatterns.max(200, 'has too many entries'),
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
  fields: (t) => ({
    name: t.string({ required: true }),
    platform: t.field({ type: Platform, required: true }),
    url: t.string({ description: 'What ANTHROPIC_BASE_URL would be. CLAUDE: may be left out.' }),
    authHeader: t.field({ type: AuthHeader }),
    secret: t.string({ description: 'Sealed; never shown again.' }),
    login: t.field({ type: ClaudeLoginInput, description: 'CLAUDE: in place of a secret.' }),
    plan: t.string({ description: 'What the subscription is called; for people.' }),
    groupId: t.id({ required: true }),
    priority: t.int(),
    weight: t.int(),
    concurrency: t.int({ description: 'Requests at once; absent: no limit.' }),
    models: t.stringList(),
    modelMapping: t.field({ type: [ModelMappingInput] }),
    proxy: t.string({
      description:
        'http, https, socks5 or socks5h, with user:password@ if needed. null: what UPSTREAM_PROXY says; none: a direct connection.',
    }),
    enabled: t.boolean(),
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
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string(),
    platform: t.field({ type: Platform }),
    url: t.string({ description: 'With another address the secret must be given again.' }),
    authHeader: t.field({ type: AuthHeader }),
    secret: t.string(),
    login: t.field({ type: ClaudeLoginInput, description: 'CLAUDE: a fresh login in place of the old one.' }),
    plan: t.string(),
    groupId: t.id(),
    priority: t.int(),
    weight: t.int(),
    concurrency: t.int({ description: 'null: no limit.' }),
    models: t.stringList({ description: '["*"] allows every model.' }),
    modelMapping: t.field({ type: [ModelMappingInput] }),
    proxy: t.string({ description: 'null: what UPSTREAM_PROXY says; none: a direct connection.' }),
    enabled: t.boolean(),
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
