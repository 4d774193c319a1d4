import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useUserSearch } from '../data/use-search.ts'
import { useParts } from '../shell/parts.ts'
import { type Filter, type ListState, oneOf } from './filters.ts'

type Chosen = ListState['filters']

/** Filters that accounts, keys and groups share: the owner, for administrators, and whether they are enabled. */
export function useObjectFilters(): {
  filters: Readonly<Ref<Filter[]>>
  variablesOf: (chosen: Chosen) => { ownerIds: string[] | null; enabled: boolean | null }
} {
  const { t } = useI18n()
  const { isAdmin } = useParts().session
  const findUsers = useUserSearch()
  const filters = computed<Filter[]>(() => [
    ...(isAdmin.value
      ? [{ kind: 'search', name: 'owner', label: t('list.owner'), find: findUsers } satisfies Filter]
      : []),
    {
      kind: 'select',
      name: 'enabled',
      label: t('list.enabled'),
      options: [
        { value: 'yes', label: t('list.on') },
        { value: 'no', label: t('list.off') },
      ],
    },
  ])
  return {
    filters,
    variablesOf: ({ owner, enabled }) => ({
      ownerIds: isAdmin.value && owner ? [owner] : null,
      enabled: oneOf(['yes', 'no'], enabled) === null ? null : enabled === 'yes',
    }),
  }
}
