import { defaultFormatFlags, type FormatFlags } from '../../accounts/format-flags.ts'
import { type AccountPreset, accountPresets } from '../../upstreams/platforms/presets.ts'
import { builder } from '../builder.ts'
import { AuthHeader, ModelMapping, Platform } from './accounts.ts'
import { FormatFlagsType } from './format-flags.ts'

const AccountPresetType = builder.objectRef<AccountPreset>('AccountPreset').implement({
  description: 'What an account of a vendor looks like: a proposal to begin with.',
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The same in every version.' }),
    label: t.exposeString('label', { description: 'For people.' }),
    platform: t.expose('platform', { type: Platform, description: 'What its upstream speaks.' }),
    url: t.exposeString('url', { description: 'With capitals where something of your own has to stand.' }),
    authHeader: t.expose('authHeader', { type: AuthHeader, description: 'The header that carries the key.' }),
    modelMapping: t.field({
      type: [ModelMapping],
      description: 'Models of Claude under names of the vendor; none where people have to choose.',
      resolve: ({ modelMapping }) => Object.entries(modelMapping).map(([from, to]) => ({ from, to })),
    }),
    formatFlags: t.field({
      type: FormatFlagsType,
      description: 'What the upstream takes of translated requests.',
      resolve: ({ flags }) => ({ ...defaultFormatFlags, ...(flags as Partial<FormatFlags>) }),
    }),
    isLocal: t.exposeBoolean('isLocal', {
      description: 'Its address is in a network that an administrator has to admit.',
    }),
  }),
})

builder.queryField('accountPresets', (t) =>
  t.field({
    type: [AccountPresetType],
    nullable: true,
    description: 'Vendors whose endpoints are known, in the order in which they are proposed.',
    authScopes: { user: true },
    resolve: () => [...accountPresets],
  }),
)
