import { z } from 'zod'
import { networkList } from '../../field-values.ts'
import { changedFields } from '../../identity/audit.ts'
import type { Database, Tx } from '../../store/database.ts'
import { inputFailure } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'

/** Settings that administrators change while the relay runs; those of the process are environment variables. */
const catalogue = {
  systemName: {
    description: 'Name of this deployment, as its pages show it.',
    default: 'Claude Code Relay',
    check: z
      .string()
      .trim()
      .min(1, 'cannot be empty')
      .max(60, 'must have at most 60 characters')
      .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'must hold no control characters'),
  },
  recoveryProbes: {
    description:
      '`active`: small requests look whether resting accounts are back. `passive`: real requests find out; also, now and then one, of accounts whose rest has no end.',
    default: 'active',
    check: z.enum(['active', 'passive'], 'must be active or passive'),
  },
  recoveryProbeSeconds: {
    description:
      'Seconds to the first look at an account that is not ready; each further one comes after twice as long.',
    default: '30',
    check: z.string().regex(/^([1-9]|[1-9]\d{1,3})$/, 'must be a whole number of seconds from 1 to 9999'),
  },
  upstreamAllow: {
    description:
      'Networks (CIDR, separated by commas) that upstreams may lie in although private, beside those of UPSTREAM_ALLOW; plain http is allowed there. In force at once, in every process.',
    default: '',
    check: z
      .string()
      .max(4000, 'must have at most 4000 characters')
      .transform((text) => text.split(/[\s,]+/).join(','))
      .pipe(networkList)
      .transform((networks) => networks.join(', ')),
  },
} as const

type Name = keyof typeof catalogue
const names = Object.keys(catalogue) as Name[]
const rowName = (name: string): string => `page:${name}`

/** All settings with their values, stored or default. */
export async function readSettings(database: Pick<Database, 'reader'> | { reader: Tx }): Promise<Record<Name, string>> {
  const rows = await database.reader.setting.findMany({ where: { name: { in: names.map(rowName) } } })
  const stored = new Map(rows.map((row) => [row.name, row.value]))
  return Object.fromEntries(
    names.map((name) => [name, stored.get(rowName(name)) ?? catalogue[name].default]),
  ) as Record<Name, string>
}

const Setting = builder.objectRef<{ name: Name; value: string }>('Setting').implement({
  description: 'One setting that changes while the relay runs.',
  authScopes: { admin: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For updateSettings.' }),
    value: t.exposeString('value', { description: 'As text; the default when nobody set it.' }),
    description: t.string({
      description: 'What it does, in English.',
      resolve: ({ name }) => catalogue[name].description,
    }),
  }),
})

const toList = (values: Record<Name, string>) => names.map((name) => ({ name, value: values[name] }))

builder.queryField('settings', (t) =>
  t.field({
    type: [Setting],
    description: 'Settings that change while the relay runs.',
    authScopes: { admin: true },
    resolve: async (_parent, _args, { parts }) => toList(await readSettings(parts.database)),
  }),
)

const SettingInput = builder.inputType('SettingInput', {
  description: 'A new value of a setting.',
  fields: (t) => ({
    name: t.string({ description: 'As `settings` lists it.', required: true }),
    value: t.string({ description: 'As text; what is wrong with it is told beside its name.', required: true }),
  }),
})

const UpdateSettingsSuccess = builder
  .objectRef<{ settings: { name: Name; value: string }[] }>('UpdateSettingsSuccess')
  .implement({
    description: 'The settings are in force, in every process.',
    authScopes: { admin: true },
    fields: (t) => ({
      settings: t.expose('settings', { description: 'All of them, with their values.', type: [Setting] }),
    }),
  })

addMutation('updateSettings', {
  description: 'Changes the settings given.',
  scope: 'admin',
  args: (arg) => ({ input: arg({ type: [SettingInput], required: true }) }),
  check: z.object({ input: z.array(z.object({ name: z.string(), value: z.string() })).max(100) }),
  success: UpdateSettingsSuccess,
  failures: ['input'],
  locks: ['settings'],
  async run({ input }, { parts }, change) {
    const draft: Partial<Record<Name, string>> = {}
    for (const { name, value } of input) {
      const known = names.find((one) => one === name)
      if (!known) throw inputFailure({ path: name.slice(0, 40), message: 'is not a setting' })
      const checked = catalogue[known].check.safeParse(value)
      if (!checked.success) throw inputFailure({ path: name, message: checked.error.issues[0]?.message ?? 'is wrong' })
      draft[known] = checked.data
    }
    const values = await change(async (tx) => {
      const before = await readSettings({ reader: tx })
      for (const [name, value] of Object.entries(draft)) {
        await tx.setting.upsert({
          where: { name: rowName(name) },
          create: { name: rowName(name), value },
          update: { value },
        })
      }
      return {
        answer: { ...before, ...draft },
        audit: { objectType: 'Setting', objectId: 0, ...changedFields(before, draft) },
      }
    })
    await parts.changed('settings')
    return { settings: toList(values) }
  },
})
