import { z } from 'zod'
import { says } from '../../failure-codes.ts'
import { networkList, wholeNumber } from '../../field-values.ts'
import { changedFields } from '../../identity/audit.ts'
import type { Database, Tx } from '../../store/database.ts'
import { builder } from '../builder.ts'
import { given } from '../identity/users.ts'
import { addMutation } from '../mutation.ts'
import { unlessAbsent } from '../values.ts'

/** Settings that administrators change while the relay runs, kept as text; those of the process are environment variables. */
const defaults = {
  systemName: 'Claude Code Relay',
  recoveryProbes: 'active',
  recoveryProbeSeconds: '30',
  upstreamAllow: '',
  whenLimitReached: 'finish',
  weekStart: 'monday',
  resetHour: '0',
}

type Name = keyof typeof defaults
const names = Object.keys(defaults) as Name[]
const rowName = (name: string): string => `page:${name}`

/** All settings with their values, stored or default. */
export async function readSettings(database: Pick<Database, 'reader'> | { reader: Tx }): Promise<Record<Name, string>> {
  const rows = await database.reader.setting.findMany({ where: { name: { in: names.map(rowName) } } })
  const stored = new Map(rows.map((row) => [row.name, row.value]))
  return Object.fromEntries(names.map((name) => [name, stored.get(rowName(name)) ?? defaults[name]])) as Record<
    Name,
    string
  >
}

const RecoveryProbes = builder.enumType('RecoveryProbes', {
  description: 'How the relay finds out that an account is back.',
  values: {
    ACTIVE: { value: 'active', description: 'Small requests of its own ask accounts that are not ready.' },
    PASSIVE: {
      value: 'passive',
      description: 'Requests of clients find out; now and then one also goes to an account that has no date of return.',
    },
  } as const,
})

const WhenLimitReached = builder.enumType('WhenLimitReached', {
  description:
    'Whether running requests end or are stopped when they reach a limit of cost. New ones are refused in any case.',
  values: {
    FINISH: { value: 'finish', description: 'They may end.' },
    STOP: { value: 'stop', description: 'They are stopped with an error event.' },
  } as const,
})

export const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

const Weekday = builder.enumType('Weekday', {
  description: 'A day of the week.',
  values: Object.fromEntries(
    weekdays.map((value) => [
      value.toUpperCase(),
      { value, description: `${value[0]!.toUpperCase()}${value.slice(1)}.` },
    ]),
  ) as Record<Uppercase<(typeof weekdays)[number]>, { value: (typeof weekdays)[number]; description: string }>,
})

const networksOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

const described = {
  systemName: 'The name of this deployment, as its pages show it; 1 to 60 characters.',
  recoveryProbes: 'How the relay finds out that an account is back.',
  recoveryProbeSeconds:
    'The seconds, 1 to 9999, before an account that is not ready is probed first; each further probe waits twice as long.',
  whenLimitReached: 'Whether running requests end or are stopped when they reach a limit of cost.',
  weekStart: 'The day on which the weekly limits begin anew.',
  resetHour: 'The hour, 0 to 23, of the zone of the deployment at which daily, weekly and monthly limits begin anew.',
  upstreamAllow:
    'Private networks (CIDR) that upstreams may lie in, beside those of UPSTREAM_ALLOW; plain http is allowed there. In force at once, in every process.',
}

const Settings = builder.objectRef<Record<Name, string>>('Settings').implement({
  description: 'What administrators change while the relay runs.',
  authScopes: { admin: true },
  fields: (t) => ({
    systemName: t.exposeString('systemName', { description: described.systemName }),
    recoveryProbes: t.field({
      type: RecoveryProbes,
      description: described.recoveryProbes,
      resolve: ({ recoveryProbes }) => recoveryProbes as 'active',
    }),
    recoveryProbeSeconds: t.int({
      description: described.recoveryProbeSeconds,
      resolve: ({ recoveryProbeSeconds }) => Number(recoveryProbeSeconds),
    }),
    whenLimitReached: t.field({
      type: WhenLimitReached,
      description: described.whenLimitReached,
      resolve: ({ whenLimitReached }) => whenLimitReached as 'finish',
    }),
    weekStart: t.field({
      type: Weekday,
      description: described.weekStart,
      resolve: ({ weekStart }) => weekStart as 'monday',
    }),
    resetHour: t.int({ description: described.resetHour, resolve: ({ resetHour }) => Number(resetHour) }),
    upstreamAllow: t.stringList({
      description: described.upstreamAllow,
      resolve: ({ upstreamAllow }) => networksOf(upstreamAllow),
    }),
  }),
})

builder.queryField('settings', (t) =>
  t.field({
    type: Settings,
    nullable: true,
    description: 'What administrators change while the relay runs.',
    authScopes: { admin: true },
    resolve: (_parent, _args, { parts }) => readSettings(parts.database),
  }),
)

const UpdateSettingsInput = builder.inputType('UpdateSettingsInput', {
  description: 'Fields that are absent stay as they are.',
  fields: (t) => ({
    systemName: t.string({ description: described.systemName }),
    recoveryProbes: t.field({ type: RecoveryProbes, description: described.recoveryProbes }),
    recoveryProbeSeconds: t.int({ description: described.recoveryProbeSeconds }),
    whenLimitReached: t.field({ type: WhenLimitReached, description: described.whenLimitReached }),
    weekStart: t.field({ type: Weekday, description: described.weekStart }),
    resetHour: t.int({ description: described.resetHour }),
    upstreamAllow: t.stringList({ description: described.upstreamAllow }),
  }),
})

const updateCheck = z.object({
  systemName: unlessAbsent(
    z
      .string()
      .trim()
      .min(1, says('EMPTY'))
      .max(60, says('TOO_LONG'))
      .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), says('CONTROL_CHARACTERS')),
  ),
  recoveryProbes: unlessAbsent(z.enum(['active', 'passive'])),
  recoveryProbeSeconds: unlessAbsent(wholeNumber(1, 9999)),
  whenLimitReached: unlessAbsent(z.enum(['finish', 'stop'])),
  weekStart: unlessAbsent(z.enum(weekdays)),
  resetHour: unlessAbsent(wholeNumber(0, 23)),
  upstreamAllow: unlessAbsent(
    z
      .array(z.string())
      .transform((items) => items.join(','))
      .pipe(z.string().max(4000, says('TOO_LONG')))
      .pipe(networkList)
      .transform((networks) => networks.join(', ')),
  ),
})

const UpdateSettingsSuccess = builder.objectRef<{ settings: Record<Name, string> }>('UpdateSettingsSuccess').implement({
  description: 'The settings are in force, in every process.',
  authScopes: { admin: true },
  fields: (t) => ({
    settings: t.expose('settings', { description: 'All settings with their values.', type: Settings }),
  }),
})

addMutation('updateSettings', {
  description: 'Changes the settings given.',
  scope: 'admin',
  input: UpdateSettingsInput,
  check: updateCheck,
  success: UpdateSettingsSuccess,
  failures: ['input'],
  locks: ['settings'],
  async run(input, { parts }, change) {
    const draft: Partial<Record<Name, string>> = Object.fromEntries(
      Object.entries(given(input)).map(([name, value]) => [name, String(value)]),
    )
    const settings = await change(async (tx) => {
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
    return { settings }
  },
})
