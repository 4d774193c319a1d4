import type { ClassificationRow } from '../../upstreams/classification.ts'
import { type Meaning, meaningOf } from '../../upstreams/rules/rule.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'

export const VerdictEffect = builder.enumType('VerdictEffect', {
  description: 'What an answer that fails means.',
  values: {
    PASS: { value: 'pass', description: "The caller's own: passed on as it came, no account changes." },
    NEXT: { value: 'next', description: 'The next account is tried, this one does not rest.' },
    LIMITED: { value: 'rate_limited', description: 'Rests until a moment; requests go to other accounts.' },
    COOLING: {
      value: 'cooling_down',
      description: 'Counts as a failure: several in a row make the account cool down.',
    },
    NEEDS_LOGIN: {
      value: 'reauth_required',
      description: 'Gets no requests until a person gives it another credential.',
    },
    UNFUNDED: { value: 'out_of_credit', description: 'Gets no requests until the moment given, a probe or a person.' },
  } as const,
})

export const VerdictScope = builder.enumType('VerdictScope', {
  description: 'What rests when a limit is reached.',
  values: {
    ACCOUNT: { value: 'account', description: 'The whole account.' },
    MODEL: { value: 'model', description: 'The model asked for; the account serves others.' },
    FAMILY: { value: 'family', description: 'Models of its kind, such as all that are called sonnet.' },
  } as const,
})

const duration = 'null: as the answer says, or as long as the state takes by itself.'

export const VerdictRule = builder.prismaNode('ErrorRule', {
  name: 'VerdictRule',
  id: { field: 'id' },
  findUnique: (id, { viewer }) => ({ id: viewer?.role === 'admin' ? Number(id) : -1 }),
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
      description: 'null: all of them.',
      resolve: ({ platform }) => (platform === '' ? null : (platform as 'console')),
    }),
    status: t.string({
      nullable: true,
      description: '`400`, `500-599`, or `event`: an error event in a stream. null: any.',
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
      type: VerdictEffect,
      resolve: ({ effect }) => effect as 'pass',
    }),
    scope: t.field({
      description: 'With LIMITED: what rests; else ACCOUNT.',
      type: VerdictScope,
      resolve: ({ scope }) => scope as 'account',
    }),
    durationSeconds: t.exposeInt('durationSeconds', { nullable: true, description: duration }),
    createdAt: t.expose('createdAt', { description: 'When it was made.', type: 'DateTime' }),
  }),
})

export const VerdictMeaning = builder.objectRef<Meaning>('VerdictMeaning').implement({
  description: 'What a rule or a row of the built-in table makes of an answer.',
  authScopes: { admin: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Of the rule, or of the row.' }),
    isRule: t.exposeBoolean('isRule', { description: 'False: a row of the built-in table.' }),
    effect: t.field({ description: 'What is done.', type: VerdictEffect, resolve: ({ effect }) => effect }),
    scope: t.field({
      description: 'With LIMITED: what rests; else ACCOUNT.',
      type: VerdictScope,
      resolve: ({ scope }) => scope,
    }),
    durationSeconds: t.exposeInt('durationSeconds', { nullable: true, description: duration }),
  }),
})

export const BuiltInVerdict = builder.objectRef<ClassificationRow>('BuiltInVerdict').implement({
  description: 'A row of the table that is asked when no rule fits. The first that fits decides.',
  authScopes: { admin: true },
  fields: (t) => ({
    status: t.string({
      nullable: true,
      description: 'As in a rule.',
      resolve: ({ status }) => (typeof status === 'object' ? status.join('-') : (status?.toString() ?? null)),
    }),
    errorType: t.string({ nullable: true, description: "'' : none is named.", resolve: ({ type }) => textOf(type) }),
    code: t.string({
      description: 'A word or a regular expression; null: any.',
      nullable: true,
      resolve: ({ code }) => textOf(code),
    }),
    message: t.string({
      nullable: true,
      description: 'A regular expression.',
      resolve: ({ message }) => textOf(message),
    }),
    limits: t.string({
      nullable: true,
      description:
        'With 429, by its headers: `account` or `family` is used up, `said`, or `unsaid`: they tell nothing.',
      resolve: ({ limits }) => limits ?? null,
    }),
    means: t.field({ description: 'What is done.', type: VerdictMeaning, resolve: meaningOf }),
  }),
})

const textOf = (pattern: unknown): string | null =>
  pattern instanceof RegExp ? pattern.source : typeof pattern === 'string' ? pattern : null
