import type { ClassificationRow } from '../../upstreams/classification.ts'
import { type Meaning, meaningOf } from '../../upstreams/rules/rule.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { rowId } from '../values.ts'

export const ErrorRuleEffect = builder.enumType('ErrorRuleEffect', {
  description: 'What an answer that fails means.',
  values: {
    PASS: { value: 'pass', description: "The caller's own: passed on as it came, no account changes." },
    NEXT_ACCOUNT: {
      value: 'next',
      description:
        'The next account is tried, this one does not rest. Of a 429: it is about the request, and when every account asked says so, the client gets the words of the vendor.',
    },
    RATE_LIMIT: { value: 'rate_limited', description: 'Rests until a moment; requests go to other accounts.' },
    COOL_DOWN: {
      value: 'cooling_down',
      description: 'Counts as a failure: several in a row make the account cool down.',
    },
    REQUIRE_REAUTH: {
      value: 'reauth_required',
      description: 'Gets no requests until a person gives it another credential.',
    },
    OUT_OF_CREDIT: {
      value: 'out_of_credit',
      description: 'Gets no requests until the moment given, a probe or a person.',
    },
  } as const,
})

export const ErrorRuleScope = builder.enumType('ErrorRuleScope', {
  description: 'What rests when a limit is reached.',
  values: {
    ACCOUNT: { value: 'account', description: 'The whole account.' },
    MODEL: { value: 'model', description: 'The model asked for; the account serves others.' },
    FAMILY: { value: 'family', description: 'Models of its kind, such as all that are called sonnet.' },
  } as const,
})

const duration = 'It is null when the response decides, or the state by itself.'

export const ErrorRule = builder.prismaNode('ErrorRule', {
  id: { field: 'id' },
  findUnique: (id, { viewer }) => ({ id: viewer?.role === 'admin' ? rowId(id) : -1 }),
  // Otherwise an unknown id would be an internal error.
  nullable: true,
  description: 'A rule of administrators: what an answer of an upstream means, whatever the built-in table says.',
  authScopes: { admin: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique among rules; 1 to 100 characters.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Off: it is passed over.' }),
    platform: t.field({
      type: Platform,
      nullable: true,
      description: 'It is null for all platforms.',
      resolve: ({ platform }) => (platform === '' ? null : (platform as 'console')),
    }),
    status: t.string({
      nullable: true,
      description:
        '`400`, `500-599`, or `event`: an error event in a stream. 200 is a body that is no success. null: any.',
      resolve: ({ status }) => status || null,
    }),
    errorType: t.string({
      nullable: true,
      description: 'A pattern, with * for anything. null: any.',
      resolve: ({ errorType }) => errorType || null,
    }),
    code: t.string({
      nullable: true,
      description: 'A pattern, with * for anything. null: any.',
      resolve: ({ code }) => code || null,
    }),
    message: t.string({
      nullable: true,
      description: 'What the whole text of the error has to fit, with * for anything. null: any.',
      resolve: ({ message }) => message || null,
    }),
    effect: t.field({
      description: 'What an answer means that it fits.',
      type: ErrorRuleEffect,
      resolve: ({ effect }) => effect as 'pass',
    }),
    scope: t.field({
      description: 'With RATE_LIMIT: what rests; else ACCOUNT.',
      type: ErrorRuleScope,
      resolve: ({ scope }) => scope as 'account',
    }),
    durationSeconds: t.exposeInt('durationSeconds', { nullable: true, description: duration }),
    createdAt: t.expose('createdAt', { description: 'When it was made.', type: 'DateTime' }),
  }),
})

export const Classification = builder.objectRef<Meaning>('Classification').implement({
  description: 'What a rule or a row of the built-in table makes of an answer.',
  authScopes: { admin: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Of the rule, or of the row.' }),
    isRule: t.exposeBoolean('isRule', { description: 'False: a row of the built-in table.' }),
    effect: t.field({ description: 'What is done.', type: ErrorRuleEffect, resolve: ({ effect }) => effect }),
    scope: t.field({
      description: 'With RATE_LIMIT: what rests; else ACCOUNT.',
      type: ErrorRuleScope,
      resolve: ({ scope }) => scope,
    }),
    durationSeconds: t.exposeInt('durationSeconds', { nullable: true, description: duration }),
  }),
})

export const BuiltInErrorRule = builder.objectRef<ClassificationRow>('BuiltInErrorRule').implement({
  description: 'A row of the table that is asked when no rule fits. The first that fits decides.',
  authScopes: { admin: true },
  fields: (t) => ({
    status: t.string({
      nullable: true,
      description: 'As in a rule.',
      resolve: ({ status }) => (typeof status === 'object' ? status.join('-') : (status?.toString() ?? null)),
    }),
    errorType: t.string({
      nullable: true,
      description: "A word or a regular expression; '' when the error must name none, null for any.",
      resolve: ({ type }) => textOf(type),
    }),
    code: t.string({
      description: 'A word or a regular expression; null: any.',
      nullable: true,
      resolve: ({ code }) => textOf(code),
    }),
    message: t.string({
      nullable: true,
      description: 'A regular expression.',
      resolve: ({ message, sentence }) => textOf(message ?? sentence),
    }),
    blamesRequest: t.boolean({
      description: "The error has to have the format's own shape, with a type that says that the request is wrong.",
      resolve: ({ blamesRequest }) => blamesRequest === true,
    }),
    limits: t.string({
      nullable: true,
      description:
        'With 429, by its headers: `account` or `family` is used up, `said`, or `unsaid`: they tell nothing.',
      resolve: ({ limits }) => limits ?? null,
    }),
    means: t.field({ description: 'What is done.', type: Classification, resolve: meaningOf }),
  }),
})

const textOf = (pattern: unknown): string | null =>
  pattern instanceof RegExp ? pattern.source : typeof pattern === 'string' ? pattern : null
